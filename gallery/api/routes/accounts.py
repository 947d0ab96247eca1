"""Routes of the account, its tokens and data, roles and invitations."""

from django.urls import URLPattern, path

from gallery.api.views import account, invitations, moderation, tokens, users

routes: list[URLPattern] = [
    path("account/", account.AccountView.as_view(), name="account"),
    path("account/portrait/", account.PortraitView.as_view(), name="account-portrait"),
    path("account/usage/", account.UsageView.as_view(), name="account-usage"),
    path("account/export/", account.ExportView.as_view(), name="account-export"),
    path("account/sessions/", account.SessionListView.as_view(), name="account-sessions"),
    path("account/sessions/<int:pk>/", account.SessionView.as_view(), name="account-session"),
    path("account/tokens/", tokens.TokenListView.as_view(), name="account-tokens"),
    path("account/tokens/<uuid:pk>/", tokens.TokenView.as_view(), name="account-token"),
    path("invitations/", invitations.InvitationListView.as_view(), name="invitations"),
    path("invitations/<uuid:pk>/", invitations.InvitationView.as_view(), name="invitation"),
    path("users/", users.UserListView.as_view(), name="users"),
    path("users/<str:username>/", users.UserView.as_view(), name="user"),
    path("moderation/images/", moderation.HiddenImagesView.as_view(), name="hidden-images"),
    path("images/<uuid:pk>/hide/", moderation.ImageHideView.as_view(), name="image-hide"),
]
