from evalapp.runtime import worker
from evalapp.runtime.management.process_command import ProcessCommand


class Command(ProcessCommand):
    module = worker
