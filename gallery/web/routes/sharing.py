"""Routes of groups, shared albums and share links."""

from django.urls import URLPattern, path

from gallery.web.accounts import groups
from gallery.web.sharing import dialog, links, overview, selection_dialog, visitor_pages

routes: list[URLPattern] = [
    path("albums/<uuid:pk>/sharing/", dialog.album_sharing, name="album_sharing"),
    path("albums/<uuid:pk>/shares/", dialog.share_add, name="share_add"),
    path("albums/<uuid:pk>/shares/<uuid:share_id>/", dialog.share_change, name="share_change"),
    path(
        "albums/<uuid:pk>/shares/<uuid:share_id>/remove/",
        dialog.share_remove,
        name="share_remove",
    ),
    path("albums/<uuid:pk>/links/", dialog.album_link_add, name="album_link_add"),
    path("albums/<uuid:pk>/leave/", dialog.leave, name="album_leave"),
    path("albums/<uuid:pk>/withdraw/", dialog.withdraw, name="album_withdraw"),
    path("images/<uuid:pk>/sharing/", dialog.image_sharing, name="image_sharing"),
    path(
        "images/<uuid:pk>/shares/<uuid:share_id>/remove/",
        dialog.image_unshare,
        name="image_unshare",
    ),
    path("images/<uuid:pk>/links/", dialog.image_link_add, name="image_link_add"),
    path("albums/<uuid:pk>/keep/", overview.keep_as_album, name="album_keep"),
    path("sharing/", overview.shared_with_me, name="shared_with_me"),
    path("sharing/by-me/", overview.shared_by_me, name="shared_by_me"),
    path("sharing/choices/", selection_dialog.choices, name="selection_choices"),
    path("notices/", overview.all_notices, name="notices"),
    path("contributions/", dialog.contributed, name="contributions"),
    path("links/", links.all_links, name="links"),
    path("links/<uuid:link_id>/", links.card, name="link"),
    path("links/<uuid:link_id>/edit/", links.edit, name="link_edit"),
    path("links/<uuid:link_id>/revoke/", links.revoke, name="link_revoke"),
    path("links/<uuid:link_id>/qr/", links.qr, name="link_qr"),
    path("groups/", groups.all_groups, name="groups"),
    path("groups/<uuid:group_id>/", groups.group, name="group"),
    path("groups/<uuid:group_id>/members/", groups.add_member, name="group_add"),
    path(
        "groups/<uuid:group_id>/members/<str:username>/remove/",
        groups.remove_member,
        name="group_remove",
    ),
    path("groups/<uuid:group_id>/leave/", groups.leave, name="group_leave"),
    path("groups/<uuid:group_id>/delete/", groups.delete, name="group_delete"),
    path("s/<str:token>/", visitor_pages.shared, name="shared"),
    path("s/<str:token>/unlock/", visitor_pages.unlock, name="shared_unlock"),
    path("s/<str:token>/download/", visitor_pages.download, name="shared_download"),
    path("s/<str:token>/images/<uuid:image_id>/", visitor_pages.shared_image, name="shared_image"),
]
