from evalapp.runtime import web
from evalapp.runtime.management.process_command import ProcessCommand


class Command(ProcessCommand):
    module = web
