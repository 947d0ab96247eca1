"""Routes of the account, its tokens and data, roles and invitations."""

from django.urls import URLPattern, path

from gallery.web.accounts import account, invitations, portraits, users
from gallery.web.pictures import moderation

routes: list[URLPattern] = [
    path("account/", account.home, name="account_home"),
    path("account/portrait/", portraits.upload, name="account_portrait"),
    path("account/portrait/remove/", portraits.remove, name="account_portrait_remove"),
    path("portraits/<str:key>/<uuid:pk>/", portraits.portrait, name="portrait"),
    path("account/sessions/", account.session_list, name="account_sessions"),
    path("account/sessions/<int:pk>/end/", account.session_end, name="account_session_end"),
    path("account/sessions/end/", account.session_end_others, name="account_sessions_end"),
    path("account/tokens/", account.token_list, name="account_tokens"),
    path("account/tokens/<uuid:pk>/revoke/", account.token_revoke, name="account_token_revoke"),
    path("account/tokens/end/", account.token_end_sign_ins, name="account_tokens_end"),
    path("account/tokens/review/", account.token_review, name="account_tokens_review"),
    path("account/data/", account.data, name="account_data"),
    path("account/export/", account.export, name="account_export"),
    path("account/delete/", account.delete, name="account_delete"),
    path("account/deleted/", account.deleted, name="account_deleted"),
    path("invitations/", invitations.invitation_list, name="invitations"),
    path("invitations/<uuid:pk>/revoke/", invitations.revoke, name="invitation_revoke"),
    path("users/", users.user_list, name="users"),
    path("users/<str:username>/", users.user, name="user"),
    path("moderation/", moderation.hidden, name="moderation"),
    path("images/<uuid:pk>/hide/", moderation.hide, name="image_hide"),
    path("images/<uuid:pk>/unhide/", moderation.unhide, name="image_unhide"),
]
