"""The AWS SDK against moto's server, and SOAP by zeep: recorded, the services stopped, and replayed without any rule.

S3 with its multipart uploads, conditions and presigned URLs and forms of signature versions 2 and 4, SQS, DynamoDB, STS, Secrets Manager and
Cognito. The replay is asked twice by the same program with other credentials, and so with other signatures, which are also made later. Of a
SOAP service every operation has the same URL; `SOAPAction` tells them apart, as `X-HTTP-Method-Override` does elsewhere.

The program is this file with an endpoint: aws_services.py ENDPOINT KEY prints what it saw.
"""

import http.client
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import time

from support import Server, environment, folder, passed

PASSWORD = "Passw0rd!of-ada"
CHANGING = {"ResponseMetadata", "HTTPHeaders", "RequestId"}


# MARK: The program


def plain(value):
    """A parsed answer without what is about the one exchange; bodies are read."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key not in CHANGING}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "read"):
        return value.read().hex()
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


class Program:
    def __init__(self, endpoint, key):
        self.endpoint, self.key = endpoint, key
        self.seen = []

    def client(self, service, signature=None):
        import boto3
        from botocore.config import Config

        config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}, signature_version=signature)
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name="eu-west-1", config=config,
            aws_access_key_id=f"AKIA{self.key:0>16}", aws_secret_access_key=self.key * 8,
        )

    def note(self, name, call, **arguments):
        """Calls, and keeps what came or which error."""
        from botocore.exceptions import ClientError

        try:
            result = call(**arguments)
        except ClientError as error:
            self.seen.append([name, "error", error.response["Error"].get("Code"), error.response["ResponseMetadata"]["HTTPStatusCode"]])
            return error.response
        self.seen.append([name, plain(result)])
        return result

    def s3(self):
        s3 = self.client("s3")
        self.note("create", s3.create_bucket, Bucket="shelf", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        for name, body in (("a.txt", b"first"), ("b.bin", bytes(range(256)) * 40), ("c/ü.json", b"{}"), ("c/x y+z.txt", b"odd")):
            self.note(f"put {name}", s3.put_object, Bucket="shelf", Key=name, Body=body, Metadata={"shelf": "one"})
        self.note("list", s3.list_objects_v2, Bucket="shelf")
        self.note("list a prefix", s3.list_objects_v2, Bucket="shelf", Prefix="c/", Delimiter="/")
        self.note("list one", s3.list_objects_v2, Bucket="shelf", MaxKeys=1)
        self.note("list the old way", s3.list_objects, Bucket="shelf")
        self.note("buckets", s3.list_buckets)
        got = self.note("get", s3.get_object, Bucket="shelf", Key="b.bin")
        for first, last in ((0, 3), (5, 9), (10_000, 20_000)):
            self.note(f"range {first}", s3.get_object, Bucket="shelf", Key="b.bin", Range=f"bytes={first}-{last}")
        self.note("head", s3.head_object, Bucket="shelf", Key="a.txt")
        etag = got["ETag"]
        # moto gives no 304 of itself to all of these; what it gives is what must come again.
        self.note("if match", s3.get_object, Bucket="shelf", Key="b.bin", IfMatch=etag)
        self.note("if other", s3.get_object, Bucket="shelf", Key="b.bin", IfMatch='"other"')
        self.note("if none match", s3.get_object, Bucket="shelf", Key="b.bin", IfNoneMatch=etag)
        self.note("if none other", s3.get_object, Bucket="shelf", Key="b.bin", IfNoneMatch='"other"')
        self.note("unconditional", s3.get_object, Bucket="shelf", Key="b.bin")
        self.note("head if none match", s3.head_object, Bucket="shelf", Key="b.bin", IfNoneMatch=etag)
        self.note("copy", s3.copy_object, Bucket="shelf", Key="copy.bin", CopySource="shelf/b.bin")
        self.note("tag", s3.put_object_tagging, Bucket="shelf", Key="a.txt", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
        self.note("tags", s3.get_object_tagging, Bucket="shelf", Key="a.txt")
        upload = self.note("multipart", s3.create_multipart_upload, Bucket="shelf", Key="big.bin")["UploadId"]
        parts = []
        for number in (1, 2):
            body = bytes([number]) * (5 << 20 if number == 1 else 1000)
            part = self.note(f"part {number}", s3.upload_part, Bucket="shelf", Key="big.bin", UploadId=upload, PartNumber=number, Body=body)
            parts.append({"PartNumber": number, "ETag": part["ETag"]})
        self.note("parts", s3.list_parts, Bucket="shelf", Key="big.bin", UploadId=upload)
        self.note("complete", s3.complete_multipart_upload, Bucket="shelf", Key="big.bin", UploadId=upload, MultipartUpload={"Parts": parts})
        self.note("head big", s3.head_object, Bucket="shelf", Key="big.bin")
        self.note("range of big", s3.get_object, Bucket="shelf", Key="big.bin", Range="bytes=5242878-5242882")
        self.note("delete", s3.delete_object, Bucket="shelf", Key="a.txt")
        self.note("get deleted", s3.get_object, Bucket="shelf", Key="a.txt")
        self.note("head deleted", s3.head_object, Bucket="shelf", Key="a.txt")
        self.note("delete many", s3.delete_objects, Bucket="shelf", Delete={"Objects": [{"Key": "c/ü.json"}, {"Key": "copy.bin"}]})
        self.note("list again", s3.list_objects_v2, Bucket="shelf")
        self.note("no bucket", s3.list_objects_v2, Bucket="nowhere")

    def presigned(self):
        """URLs and forms that anybody may use who has them; each is signed anew, at another second in the replay."""
        import requests

        self.note("bucket", self.client("s3").create_bucket, Bucket="signed", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        session = requests.Session()
        session.trust_env = False
        for version in ("s3", "s3v4"):
            s3 = self.client("s3", version)
            target = {"Bucket": "signed", "Key": f"by {version}.txt"}
            url = s3.generate_presigned_url("put_object", Params=target, ExpiresIn=900)
            assert ("X-Amz-Signature=" if version == "s3v4" else "&Signature=") in url.replace("?Signature", "&Signature"), url
            answer = session.put(url, data=f"signed by {version}")
            self.seen.append([f"PUT by {version}", answer.status_code, answer.headers.get("ETag"), answer.text])
            for method in ("get_object", "head_object"):
                url = s3.generate_presigned_url(method, Params=target, ExpiresIn=int(time.time()) % 500 + 300)
                answer = session.request("GET" if method == "get_object" else "HEAD", url)
                self.seen.append([f"{method} by {version}", answer.status_code, answer.headers.get("ETag"), answer.text])
            url = s3.generate_presigned_url("get_object", Params={"Bucket": "signed", "Key": "none"}, ExpiresIn=300)
            self.seen.append([f"GET of nothing by {version}", session.get(url).status_code])
            form = s3.generate_presigned_post("signed", f"form by {version}.txt", ExpiresIn=int(time.time()) % 500 + 300)
            answer = session.post(form["url"], data=form["fields"], files={"file": ("name.txt", f"a form by {version}")})
            self.seen.append([f"form by {version}", answer.status_code, answer.text])
            self.note(f"what the form by {version} made", s3.get_object, Bucket="signed", Key=f"form by {version}.txt")

    def sqs(self):
        sqs = self.client("sqs")
        for name in ("first", "second"):
            url = self.note(f"queue {name}", sqs.create_queue, QueueName=name)["QueueUrl"]
            self.note(f"url of {name}", sqs.get_queue_url, QueueName=name)
            for number in range(2):
                self.note(f"send {name} {number}", sqs.send_message, QueueUrl=url, MessageBody=f"{name} {number}", MessageAttributes={"n": {"DataType": "Number", "StringValue": str(number)}})
            for number in range(3):
                for message in self.note(f"receive {name} {number}", sqs.receive_message, QueueUrl=url, MessageAttributeNames=["All"]).get("Messages", []):
                    self.note(f"delete {name} {number}", sqs.delete_message, QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            self.note(f"attributes of {name}", sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        self.note("queues", sqs.list_queues)
        self.note("no queue", sqs.get_queue_url, QueueName="none")

    def dynamodb(self):
        dynamo = self.client("dynamodb")
        self.note(
            "create", dynamo.create_table, TableName="stars", BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "kind", "KeyType": "HASH"}, {"AttributeName": "name", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("kind", "name")],
        )
        self.note("tables", dynamo.list_tables)
        key = {"kind": {"S": "giant"}, "name": {"S": "rigel"}}
        for name, size in (("rigel", "78.9"), ("deneb", "203")):
            self.note(f"put {name}", dynamo.put_item, TableName="stars", Item={"kind": {"S": "giant"}, "name": {"S": name}, "radius": {"N": size}, "raw": {"B": b"\0\xff"}})
        self.note("get", dynamo.get_item, TableName="stars", Key=key)
        question = dict(TableName="stars", KeyConditionExpression="kind = :k", ExpressionAttributeValues={":k": {"S": "giant"}})
        self.note("query", dynamo.query, **question)
        self.note("query back", dynamo.query, ScanIndexForward=False, **question)
        self.note("update", dynamo.update_item, TableName="stars", Key=key, UpdateExpression="SET radius = :r", ExpressionAttributeValues={":r": {"N": "80"}}, ReturnValues="ALL_NEW")
        self.note("get again", dynamo.get_item, TableName="stars", Key=key)
        self.note("condition", dynamo.put_item, TableName="stars", Item=key, ConditionExpression="attribute_not_exists(#n)", ExpressionAttributeNames={"#n": "name"})
        self.note("batch write", dynamo.batch_write_item, RequestItems={"stars": [{"PutRequest": {"Item": {"kind": {"S": "dwarf"}, "name": {"S": str(n)}}}} for n in range(3)]})
        self.note("batch get", dynamo.batch_get_item, RequestItems={"stars": {"Keys": [{"kind": {"S": "dwarf"}, "name": {"S": str(n)}} for n in range(3)]}})
        self.note("scan", dynamo.scan, TableName="stars")
        self.note("delete", dynamo.delete_item, TableName="stars", Key=key)
        self.note("no table", dynamo.scan, TableName="none")

    def others(self):
        sts = self.client("sts")
        self.note("identity", sts.get_caller_identity)
        self.note("role", sts.assume_role, RoleArn="arn:aws:iam::123456789012:role/reader", RoleSessionName="test")
        secrets = self.client("secretsmanager")
        self.note("secret", secrets.create_secret, Name="key", SecretString="open sesame", ClientRequestToken="a" * 32)
        self.note("value", secrets.get_secret_value, SecretId="key")
        self.note("new value", secrets.put_secret_value, SecretId="key", SecretString="open barley", ClientRequestToken="b" * 32)
        self.note("value again", secrets.get_secret_value, SecretId="key")
        self.note("secrets", secrets.list_secrets)
        self.note("no secret", secrets.get_secret_value, SecretId="none")
        cognito = self.client("cognito-idp")
        pool = self.note("pool", cognito.create_user_pool, PoolName="people")["UserPool"]["Id"]
        self.note("describe", cognito.describe_user_pool, UserPoolId=pool)
        client = self.note("app", cognito.create_user_pool_client, UserPoolId=pool, ClientName="app")["UserPoolClient"]["ClientId"]
        self.note("sign up", cognito.sign_up, ClientId=client, Username="ada", Password=PASSWORD, UserAttributes=[{"Name": "email", "Value": "ada@example.com"}])
        self.note("admin create", cognito.admin_create_user, UserPoolId=pool, Username="bob", TemporaryPassword="Passw0rd!of-bob")
        self.note("get", cognito.admin_get_user, UserPoolId=pool, Username="ada")
        self.note("users", cognito.list_users, UserPoolId=pool)
        self.note("no user", cognito.admin_get_user, UserPoolId=pool, Username="eve")

    def run(self):
        for part in (self.s3, self.presigned, self.sqs, self.dynamodb, self.others):
            part()
        print(json.dumps(self.seen))


def start_moto():
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )
    for line in process.stderr:
        match = re.search(rb"Running on http://127\.0\.0\.1:(\d+)", line)
        if match:
            threading.Thread(target=lambda: [None for _ in process.stderr], daemon=True).start()
            return process, int(match.group(1))
    raise RuntimeError("moto did not start")


def run(endpoint, key):
    result = subprocess.run(
        [sys.executable, os.path.abspath(__file__), endpoint, key], capture_output=True, text=True, timeout=120, env=environment()
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return json.loads(result.stdout)


def aws(temporary):
    moto, port = start_moto()
    cassette = os.path.join(temporary, "aws.cassette")
    try:
        with Server("record", cassette, "--upstream", f"http://127.0.0.1:{port}", "--quiet") as server:
            recorded = run(server.url, "first")
    finally:
        moto.terminate()
        moto.wait(timeout=30)
    errors = [one for one in recorded if one[1] == "error"]
    assert len(recorded) > 80 and len(errors) < 20, errors
    problems = []
    # Passwords of the usual names are not in the file, also where JSON has another label (`application/x-amz-json-1.1`).
    secrets = {"Password": PASSWORD}
    with open(cassette, "rb") as file:
        data = file.read()
    problems += [f"{name} is in the cassette as it was" for name, value in secrets.items() if value.encode() in data]
    # Twice, so that nothing depends on a second chance.
    for key in ("second", "third"):
        with Server("replay", cassette, "--quiet") as server:
            replayed = run(server.url, key)
        for before, after in zip(recorded, replayed):
            if not agrees(mapped(before), mapped(after)):
                problems.append(f"{key}: {str(before)[:600]}\n   {str(after)[:600]}")
        if len(recorded) != len(replayed):
            problems.append(f"{key}: {len(recorded)} results, then {len(replayed)}")
    assert not problems, f"{len(problems)} problems:\n" + "\n".join(problems)
    return len(recorded)


def mapped(value):
    """The result with every origin of this machine written in one way: the URLs of queues name the recorder, then the replay."""
    return json.loads(re.sub(r"http://(127\.0\.0\.1|localhost):\d+", "http://here", json.dumps(value)))


def agrees(before, after):
    """Whether both are the same, but for secrets, which are not in the cassette."""
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(agrees(before[key], after[key]) for key in before)
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(agrees, before, after))
    if isinstance(before, str) and isinstance(after, str) and ("redacted." in after or "cmVkYWN0ZWQu" in after):
        pattern = ".+".join(re.escape(part) for part in re.split(r"redacted\.[a-z0-9_-]+\.c?[0-9]+|cmVkYWN0ZWQu\w+", after))
        return re.fullmatch(pattern, before, re.DOTALL) is not None
    return before == after


# MARK: SOAP


WSDL = """<?xml version="1.0"?>
<definitions name="Clock" targetNamespace="urn:clock" xmlns:tns="urn:clock" xmlns="http://schemas.xmlsoap.org/wsdl/"
  xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <types><xsd:schema targetNamespace="urn:clock" elementFormDefault="qualified">
    <xsd:element name="Ask"><xsd:complexType><xsd:sequence><xsd:element name="zone" type="xsd:string"/></xsd:sequence></xsd:complexType></xsd:element>
    <xsd:element name="Told"><xsd:complexType><xsd:sequence><xsd:element name="text" type="xsd:string"/></xsd:sequence></xsd:complexType></xsd:element>
  </xsd:schema></types>
  <message name="In"><part name="parameters" element="tns:Ask"/></message>
  <message name="Out"><part name="parameters" element="tns:Told"/></message>
  <portType name="Port">%s</portType>
  <binding name="Binding" type="tns:Port"><soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>%s</binding>
  <service name="Service"><port name="Port" binding="tns:Binding"><soap:address location="http://127.0.0.1:%d/soap"/></port></service>
</definitions>"""
OPERATIONS = ("Time", "Date", "Year")


class Soap(http.server.BaseHTTPRequestHandler):
    """One URL for every operation, with the same body: only SOAPAction says which. And a service that reads X-HTTP-Method-Override."""

    protocol_version = "HTTP/1.1"

    def answer(self, body, media="text/xml"):
        self.send_response(200)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        ports = "".join(f'<operation name="{name}"><input message="tns:In"/><output message="tns:Out"/></operation>' for name in OPERATIONS)
        body = '<{0}><soap:body use="literal"/></{0}>'
        bound = "".join(
            f'<operation name="{name}"><soap:operation soapAction="urn:clock#{name}"/>{body.format("input")}{body.format("output")}</operation>'
            for name in OPERATIONS
        )
        self.answer((WSDL % (ports, bound, self.server.server_address[1])).encode())

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/items/1":
            return self.answer(f"did {self.headers.get('X-HTTP-Method-Override', 'POST')}".encode(), "text/plain")
        action = self.headers["SOAPAction"].strip('"').partition("#")[2]
        envelope = (
            '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
            f'<Told xmlns="urn:clock"><text>{action} of the service</text></Told></soap:Body></soap:Envelope>'
        )
        self.answer(envelope.encode())

    def log_message(self, *_):
        pass


def call(url, operation):
    """What zeep makes of the answer; its own error if the server refused."""
    import logging

    import requests
    import zeep

    logging.disable(logging.CRITICAL)
    session = requests.Session()
    session.trust_env = False
    client = zeep.Client(f"{url}/soap?wsdl", transport=zeep.Transport(session=session, cache=None))
    try:
        return getattr(client.service, operation)(zone="UTC")
    except zeep.exceptions.Error as error:
        return f"error: {error}"
    except requests.RequestException as error:
        return f"error: {error}"


def override(port, method):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", "/items/1", body=b"{}", headers={"X-HTTP-Method-Override": method} if method else {})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, answer.getheader("mockserve-miss"), body


def soap(temporary):
    upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Soap)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    cassette = os.path.join(temporary, "soap.cassette")
    with Server("record", cassette, "--upstream", f"http://127.0.0.1:{upstream.server_address[1]}", "--quiet") as server:
        recorded = {name: call(server.url, name) for name in ("Time", "Date")}
        assert recorded == {name: f"{name} of the service" for name in ("Time", "Date")}, recorded
        done = {method: override(server.port, method) for method in ("PATCH", "DELETE", None)}
        assert done["DELETE"] == (200, None, "did DELETE"), done
    upstream.shutdown()
    upstream.server_close()
    problems = []
    for playback in ("timeline", "sequence", "first"):
        with Server("replay", cassette, "--quiet", "--playback", playback) as server:
            for name in ("Date", "Time", "Date"):
                said = call(server.url, name)
                if said != recorded[name]:
                    problems.append(f"{playback}: SOAPAction {name} is answered {said!r}")
            said = call(server.url, "Year")
            if "of the service" in said:
                problems.append(f"{playback}: SOAPAction Year was not recorded and is answered {said!r}")
            for method in ("DELETE", None, "PATCH"):
                said = override(server.port, method)
                if said != done[method]:
                    problems.append(f"{playback}: X-HTTP-Method-Override {method} is answered {said}")
            said = override(server.port, "PUT")
            if said[:2] != (404, "1"):
                problems.append(f"{playback}: X-HTTP-Method-Override PUT was not recorded and is answered {said}")
    assert not problems, "\n".join(problems)


def main():
    problems, count = [], 0
    with folder() as temporary:
        for part in (aws, soap):
            try:
                count += part(temporary) or 0
            except AssertionError as error:
                problems.append(f"{part.__name__}: {error}")
    assert not problems, "\n".join(problems)
    passed(
        f"boto3 sees the same {count} results of S3, presigned URLs and forms, SQS, DynamoDB, STS, Secrets Manager and Cognito from two replays; "
        "operations of a SOAP service are told apart by SOAPAction, and methods by X-HTTP-Method-Override"
    )


if len(sys.argv) > 1:
    Program(sys.argv[1], sys.argv[2]).run()
else:
    main()
