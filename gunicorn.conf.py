"""What every installation of the web server has in common; addresses and numbers of
processes and threads come from its command line. Found by gunicorn in its folder."""

import resource

worker_class = "clipsite.serving.worker.PatientWorker"
# Each may need two file descriptors, of which a process usually has 1,024 and may have more
# if it asks. Beyond this, who has waited longest makes room.
_descriptors, _most = resource.getrlimit(resource.RLIMIT_NOFILE)
_wanted = 2 * 2_000 + 200
if _descriptors < _wanted:
    _descriptors = _wanted if _most == resource.RLIM_INFINITY else min(_wanted, _most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_descriptors, _most))
worker_connections = min(2_000, (_descriptors - 200) // 2)
timeout = 120

# A long search text belongs to us to refuse, with a sentence that says how long it
# may be: a percent-encoded Chinese character takes nine bytes. gunicorn itself
# gives up at one megabyte.
limit_request_line = 0
# The same for the description that an upload carries in its Upload-Metadata.
limit_request_field_size = 32_768
# Nobody in front says under which path the site lies: a header that a client writes
# itself must not.
forwarder_headers = ""
