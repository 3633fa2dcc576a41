"""The AWS SDK for Python against moto in server mode: S3 and DynamoDB recorded, moto stopped, the same program replayed.

The program is this file with an endpoint: aws_client.py ENDPOINT prints what it saw.
"""

import json
import os
import re
import subprocess
import sys


def program(endpoint):
    import boto3
    from botocore.config import Config

    settings = dict(
        endpoint_url=endpoint, region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
    )
    seen = []
    s3 = boto3.client("s3", **settings)
    s3.create_bucket(Bucket="shelf", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for name, body in (("a.txt", b"first"), ("b.bin", bytes(range(256)) * 40), ("c/ü.json", b"{}")):
        seen.append(s3.put_object(Bucket="shelf", Key=name, Body=body)["ETag"])
    seen.append(sorted(item["Key"] for item in s3.list_objects_v2(Bucket="shelf")["Contents"]))
    seen.append(s3.get_object(Bucket="shelf", Key="b.bin")["Body"].read().hex()[:40])
    seen.append(s3.get_object(Bucket="shelf", Key="b.bin", Range="bytes=5-9")["Body"].read().hex())
    seen.append(s3.head_object(Bucket="shelf", Key="a.txt")["ContentLength"])
    s3.delete_object(Bucket="shelf", Key="a.txt")
    seen.append(sorted(item["Key"] for item in s3.list_objects_v2(Bucket="shelf")["Contents"]))
    try:
        s3.get_object(Bucket="shelf", Key="a.txt")
    except s3.exceptions.NoSuchKey as error:
        seen.append(error.response["Error"]["Code"])

    table = dict(TableName="stars")
    dynamo = boto3.client("dynamodb", **settings)
    dynamo.create_table(
        **table, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    for name, size in (("sun", "1.0"), ("rigel", "78.9")):
        dynamo.put_item(**table, Item={"id": {"S": name}, "radius": {"N": size}})
    seen.append(dynamo.get_item(**table, Key={"id": {"S": "rigel"}})["Item"])
    seen.append(dynamo.scan(**table)["Count"])
    dynamo.update_item(
        **table, Key={"id": {"S": "sun"}}, UpdateExpression="SET radius = :r", ExpressionAttributeValues={":r": {"N": "2"}}
    )
    seen.append(dynamo.get_item(**table, Key={"id": {"S": "sun"}})["Item"])
    dynamo.delete_item(**table, Key={"id": {"S": "sun"}})
    seen.append(dynamo.scan(**table)["Count"])
    print(json.dumps(seen))


def start_moto():
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )
    for line in process.stderr:
        match = re.search(rb"Running on http://127\.0\.0\.1:(\d+)", line)
        if match:
            import threading

            threading.Thread(target=lambda: [None for _ in process.stderr], daemon=True).start()
            return process, int(match.group(1))
    raise RuntimeError("moto did not start")


def run(endpoint):
    from support import environment

    result = subprocess.run(
        [sys.executable, os.path.abspath(__file__), endpoint], capture_output=True, text=True, timeout=120, env=environment()
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return json.loads(result.stdout)


def main():
    from support import Server, folder, passed

    moto, port = start_moto()
    with folder() as temporary:
        cassette = os.path.join(temporary, "aws.cassette")
        with Server("record", cassette, "--upstream", f"http://127.0.0.1:{port}", "--quiet") as server:
            recorded = run(server.url)
        moto.terminate()
        moto.wait(timeout=30)
        # Twice, so that nothing depends on a second chance; signatures, dates and request numbers differ every time.
        for _ in range(2):
            with Server("replay", cassette) as server:
                replayed = run(server.url)
            assert replayed == recorded, f"\n{recorded}\n{replayed}"
    passed(f"boto3 sees the same {len(recorded)} results of S3 and DynamoDB from the replay, without any rule")


if len(sys.argv) > 1:
    program(sys.argv[1])
else:
    main()
