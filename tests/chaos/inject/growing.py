"""A load that stops the embedded database for good: parallel transactions that rewrite one large document.

`python -m tests.chaos.inject.growing URI`, until it is ended. The document grows from 14 MB on; each transaction puts a
line into another collection as well, as a batch of the event log does.
"""

import itertools
import sys
import threading
import time

import pymongo
from pymongo.errors import PyMongoError

WRITERS = 30
LINE = "x" * 1000
LINES = 14_000


def rewrite(uri: str, numbers: "itertools.count[int]") -> None:
    with pymongo.MongoClient(uri, socketTimeoutMS=60_000) as client:
        while True:
            number = next(numbers)
            lines = [LINE] * (LINES + number % 500)
            try:
                with client.start_session() as session, session.start_transaction():
                    client.load.lines.insert_one({"n": number}, session=session)
                    client.load.growing.update_one({"_id": "one"}, {"$set": {"lines": lines}}, session=session)
            except PyMongoError:
                time.sleep(0.1)


def main() -> None:
    uri = sys.argv[1]
    with pymongo.MongoClient(uri) as client:
        client.load.lines.insert_one({})
        client.load.growing.update_one({"_id": "one"}, {"$set": {"lines": [LINE] * LINES}}, upsert=True)
    numbers = itertools.count(1)
    writers = [threading.Thread(target=rewrite, args=(uri, numbers), daemon=True) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()


if __name__ == "__main__":
    main()
