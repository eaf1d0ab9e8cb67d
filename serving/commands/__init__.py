"""Commands of the room: answers to a file, the server, who may ask, and the record."""
