from evalapp.runtime import beat
from evalapp.runtime.management.process_command import ProcessCommand


class Command(ProcessCommand):
    module = beat
