from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.account.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/", include("gallery.api.urls")),
    path("", include("gallery.web.urls")),
]

handler400 = "gallery.web.errors.bad_request"
handler403 = "gallery.web.errors.permission_denied"
handler404 = "gallery.web.errors.page_not_found"
handler500 = "gallery.web.errors.server_error"
