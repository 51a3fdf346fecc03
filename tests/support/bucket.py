"""A server that speaks S3, refuses keys that it does not know, and has one bucket and one key."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import boto3
import httpx
from moto.server import ThreadedMotoServer

BUCKET = "evidence"
_EVERYTHING = """{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "*", "Resource": "*"}]}"""


class Bucket(NamedTuple):
    """Where the server is, and the key that it takes."""

    endpoint: str
    key: str
    secret: str

    def environment(self) -> dict[str, str]:
        """What a service needs to be told."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def objects(self) -> dict[str, int]:
        """Names and sizes of all that is in the bucket."""
        found = self.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {each["Key"]: each["Size"] for each in found}

    def client(self, service: str):  # type: ignore[no-untyped-def]  # noqa: ANN201  made at run time
        """A client of one of the server's services."""
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name="us-east-1",
            aws_access_key_id=self.key, aws_secret_access_key=self.secret,
        )  # fmt: skip


@contextmanager
def running_bucket() -> Iterator[Bucket]:
    """The server, on a port of its own."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        there = Bucket(f"http://{host}:{port}", "first", "first")
        # What one before it in this process was told and kept, it would go on with.
        _tell(there, "reset-auth", "inf")
        _tell(there, "reset")
        people = there.client("iam")
        people.create_user(UserName="quickwin")
        people.put_user_policy(
            UserName="quickwin", PolicyName="everything", PolicyDocument=_EVERYTHING
        )
        key = people.create_access_key(UserName="quickwin")["AccessKey"]
        there.client("s3").create_bucket(Bucket=BUCKET)
        # From here on it asks who is there, as a real one does.
        _tell(there, "reset-auth", "0")
        yield Bucket(there.endpoint, key["AccessKeyId"], key["SecretAccessKey"])
    finally:
        server.stop()


def _tell(there: Bucket, command: str, content: str = "") -> None:
    httpx.post(f"{there.endpoint}/moto-api/{command}", content=content).raise_for_status()
