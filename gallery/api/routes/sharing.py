"""Routes of groups, shared albums and share links."""

from django.urls import URLPattern, path

from gallery.api.views import groups, links, notices, shared, shares

routes: list[URLPattern] = [
    path("albums/<uuid:album_id>/shares/", shares.AlbumSharesView.as_view(), name="album-shares"),
    path(
        "albums/<uuid:album_id>/shares/<uuid:share_id>/",
        shares.AlbumShareView.as_view(),
        name="album-share",
    ),
    path("albums/<uuid:album_id>/leave/", shares.AlbumLeaveView.as_view(), name="album-leave"),
    path(
        "albums/<uuid:album_id>/withdraw/",
        shares.AlbumWithdrawView.as_view(),
        name="album-withdraw",
    ),
    path("notices/", notices.NoticeListView.as_view(), name="notices"),
    path("notices/seen/", notices.NoticesSeenView.as_view(), name="notices-seen"),
    path("contributions/", shares.ContributionsView.as_view(), name="contributions"),
    path("groups/", groups.GroupListView.as_view(), name="groups"),
    path("groups/<uuid:group_id>/", groups.GroupDetailView.as_view(), name="group"),
    path(
        "groups/<uuid:group_id>/members/", groups.GroupMembersView.as_view(), name="group-members"
    ),
    path(
        "groups/<uuid:group_id>/members/<str:username>/",
        groups.GroupMemberView.as_view(),
        name="group-member",
    ),
    path("groups/<uuid:group_id>/leave/", groups.GroupLeaveView.as_view(), name="group-leave"),
    path("links/", links.LinkListView.as_view(), name="links"),
    path("links/<uuid:link_id>/", links.LinkDetailView.as_view(), name="link"),
    path("shared/<str:token>/", shared.SharedView.as_view(), name="shared"),
    path("shared/<str:token>/unlock/", shared.SharedUnlockView.as_view(), name="shared-unlock"),
    path("shared/<str:token>/images/", shared.SharedImagesView.as_view(), name="shared-images"),
    path(
        "shared/<str:token>/thumbnails/<str:key>/<uuid:image_id>/",
        shared.SignedSharedThumbnailView.as_view(),
        name="shared-thumbnail-signed",
    ),
    path(
        "shared/<str:token>/images/<uuid:image_id>/thumbnail/",
        shared.SharedThumbnailView.as_view(),
        name="shared-thumbnail",
    ),
    path(
        "shared/<str:token>/images/<uuid:image_id>/file/",
        shared.SharedFileView.as_view(),
        name="shared-file",
    ),
    path(
        "shared/<str:token>/download/", shared.SharedDownloadView.as_view(), name="shared-download"
    ),
]
