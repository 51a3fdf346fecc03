"""Wire shapes, pure pydantic: `NewX` creates, `XChanges` patches, `X` answers."""
