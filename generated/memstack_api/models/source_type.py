from enum import Enum


class SourceType(str, Enum):
    API = "api"
    CONVERSATION = "conversation"
    DOCUMENT = "document"
    JSON = "json"
    TEXT = "text"

    def __str__(self) -> str:
        return str(self.value)
