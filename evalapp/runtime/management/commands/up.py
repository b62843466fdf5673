from evalapp.runtime import up
from evalapp.runtime.management.process_command import ProcessCommand


class Command(ProcessCommand):
    module = up
