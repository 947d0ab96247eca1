from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from gallery.web.accounts import credentials
from gallery.web.accounts.language import set_language

# The admin's own sign-in page would ignore second factors.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    # Its password page would neither count wrong passwords nor ask about tokens.
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("admin/", admin.site.urls),
    path("accounts/", include(credentials.routes)),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("i18n/setlang/", set_language, name="set_language"),
    path("api/", include("gallery.api.urls")),
    path("", include("gallery.web.urls")),
]

handler400 = "gallery.web.errors.bad_request"
handler403 = "gallery.web.errors.permission_denied"
handler404 = "gallery.web.errors.page_not_found"
handler500 = "gallery.web.errors.server_error"
