"""URL routes of the site."""

from __future__ import annotations

from django.contrib.auth import views as auth
from django.urls import include, path, reverse_lazy

from jobs.web.uploads import views as uploads
from jobs.web.views import accounts, briefs, downloads, glossaries, jobs, new_job
from jobs.web.views import presence as page_presence
from jobs.web.views.api import api

urlpatterns = [
    path("", new_job.new_job, name="new"),
    path("jobs/", jobs.job_list, name="jobs"),
    path("jobs/<uuid:job_id>/", jobs.job_page, name="job"),
    path("jobs/<uuid:job_id>/parts", jobs.job_parts, name="job_parts"),
    path("jobs/<uuid:job_id>/subtitles/<str:form>.<str:kind>", jobs.subtitles, name="subtitles"),
    path("jobs/<uuid:job_id>/report.json", jobs.report, name="report"),
    path("jobs/<uuid:job_id>/brief", briefs.brief_page, name="brief"),
    path("jobs/<uuid:job_id>/brief.txt", briefs.brief_file, name="brief_file"),
    path("jobs/<uuid:job_id>/cancel", jobs.cancel, name="cancel"),
    path("jobs/<uuid:job_id>/retry", jobs.retry, name="retry"),
    path("jobs/<uuid:job_id>/go-on", jobs.go_on, name="go_on"),
    path("jobs/<uuid:job_id>/again", jobs.start_again, name="again"),
    path("jobs/<uuid:job_id>/replace", jobs.replace_upload, name="replace"),
    path("jobs/<uuid:job_id>/keep", jobs.set_keep_running, name="keep"),
    path("jobs/<uuid:job_id>/notify", jobs.set_notify, name="notify"),
    path("jobs/<uuid:job_id>/delete", jobs.delete, name="delete"),
    path("glossaries/", glossaries.glossary_list, name="glossaries"),
    path("glossaries/<int:glossary_id>/", glossaries.glossary_page, name="glossary"),
    path("glossaries/<int:glossary_id>/glossary.csv", glossaries.glossary_table, name="glossary_table"),
    path("glossaries/<int:glossary_id>/delete", glossaries.delete_glossary, name="delete_glossary"),
    path("api/pages", page_presence.open_page, name="api_pages"),
    path("api/cancel/<uuid:job_id>", page_presence.cancel, name="api_cancel"),
    path("uploads/", uploads.uploads, name="uploads"),
    path("uploads/<uuid:job_id>", uploads.upload, name="upload"),
    path("uploads/<uuid:job_id>/checksums", uploads.checksums, name="upload_checksums"),
    path("media/<uuid:job_id>/<str:kind>", downloads.media, name="media"),
    path("api/", api.urls),
    path("language", include("django.conf.urls.i18n")),
    path("sign-in/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("sign-out/", auth.LogoutView.as_view(), name="logout"),
    path("sign-up/", accounts.sign_up, name="sign_up"),
    path("account/password/", auth.PasswordChangeView.as_view(), name="password_change"),
    path("account/password/done/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("account/reset/", auth.PasswordResetView.as_view(), name="password_reset"),
    path("account/reset/sent/", auth.PasswordResetDoneView.as_view(), name="password_reset_done"),
    path(
        "account/reset/<uidb64>/<token>/",
        auth.PasswordResetConfirmView.as_view(post_reset_login=True, success_url=reverse_lazy("new")),
        name="password_reset_confirm",
    ),
]
