"""One durable record of every acknowledged answer, written before the reply leaves.

A record names the request, the caller, the time, the models and their hashes, and what they said;
inputs and the subject's identifier are there only as keyed hashes (HMAC-SHA256), so that a copy of
the log tells no patient's value, and yet a question – was this input answered, and how? – can be
settled by whoever holds the key. Records are chained: each hash covers the one before.

Several workers share one SQLite file (write-ahead log, full sync), several replicas one PostgreSQL
table. A writer thread commits what has gathered since its last commit as one transaction, so
durability costs one sync per group. A record that cannot be written is an answer that is not given.
"""

from serving.audit.key import make_key
from serving.audit.log import AuditLog
from serving.audit.record import record_of
from serving.audit.verify import Verdict, verify

__all__ = ["AuditLog", "Verdict", "make_key", "record_of", "verify"]
