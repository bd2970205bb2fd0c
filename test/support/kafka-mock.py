"""
librdkafka's mock cluster in a process of its own: brokers on loopback ports that take, keep and serve records. It reads one
command a line from its input and answers each with a line; the end of its input ends it.
"""
import ctypes
import sys

library = ctypes.CDLL("librdkafka.so.1")
pointer, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p


def function(name, result, *arguments):
    found = getattr(library, name)
    found.restype, found.argtypes = result, arguments
    return found


conf_new = function("rd_kafka_conf_new", pointer)
new = function("rd_kafka_new", pointer, number, pointer, text, ctypes.c_size_t)
cluster_new = function("rd_kafka_mock_cluster_new", pointer, pointer, number)
bootstraps = function("rd_kafka_mock_cluster_bootstraps", text, pointer)
topic_create = function("rd_kafka_mock_topic_create", number, pointer, text, number, number)
topic_set_error = function("rd_kafka_mock_topic_set_error", None, pointer, text, number)
set_leader = function("rd_kafka_mock_partition_set_leader", number, pointer, text, ctypes.c_int32, ctypes.c_int32)
set_down = function("rd_kafka_mock_broker_set_down", number, pointer, ctypes.c_int32)
set_up = function("rd_kafka_mock_broker_set_up", number, pointer, ctypes.c_int32)
set_rtt = function("rd_kafka_mock_broker_set_rtt", number, pointer, ctypes.c_int32, number)
set_versions = function("rd_kafka_mock_set_apiversion", number, pointer, ctypes.c_int16, ctypes.c_int16, ctypes.c_int16)
push_errors = function(
    "rd_kafka_mock_push_request_errors_array", None, pointer, ctypes.c_int16, ctypes.c_size_t, ctypes.POINTER(number)
)
# Variable arguments: after the count come pairs of an error and a round-trip time.
push_error_rtts = library.rd_kafka_mock_broker_push_request_error_rtts
push_error_rtts.restype = number
clear_errors = function("rd_kafka_mock_clear_request_errors", None, pointer, ctypes.c_int16)
track = function("rd_kafka_mock_start_request_tracking", None, pointer)
requests = function("rd_kafka_mock_get_requests", ctypes.POINTER(pointer), pointer, ctypes.POINTER(ctypes.c_size_t))
request_key = function("rd_kafka_mock_request_api_key", ctypes.c_int16, pointer)
destroy_requests = function("rd_kafka_mock_request_destroy_array", None, ctypes.POINTER(pointer), ctypes.c_size_t)


def count_requests(cluster, api):
    count = ctypes.c_size_t()
    found = requests(cluster, ctypes.byref(count))
    total = sum(1 for index in range(count.value) if request_key(found[index]) == api)
    destroy_requests(found, count.value)
    return total


def run(cluster, words):
    name, values = words[0], words[1:]
    if name == "topic":
        return topic_create(cluster, values[0].encode(), int(values[1]), 1)
    if name == "topic-error":
        return topic_set_error(cluster, values[0].encode(), int(values[1])) or 0
    if name == "leader":
        return set_leader(cluster, values[0].encode(), int(values[1]), int(values[2]))
    if name == "down":
        return set_down(cluster, int(values[0]))
    if name == "up":
        return set_up(cluster, int(values[0]))
    if name == "rtt":
        return set_rtt(cluster, int(values[0]), int(values[1]))
    if name == "versions":
        return set_versions(cluster, *map(int, values))
    if name == "errors":
        codes = list(map(int, values[1:]))
        return push_errors(cluster, int(values[0]), len(codes), (number * len(codes))(*codes)) or 0
    if name == "error-rtt":
        broker, api, code, rtt = map(int, values)
        return push_error_rtts(pointer(cluster), ctypes.c_int32(broker), ctypes.c_int16(api), ctypes.c_size_t(1), number(code), number(rtt))
    if name == "clear":
        return clear_errors(cluster, int(values[0])) or 0
    if name == "requests":
        return count_requests(cluster, int(values[0]))
    raise ValueError(name)


def main():
    problem = ctypes.create_string_buffer(512)
    client = new(0, conf_new(), problem, len(problem))
    cluster = cluster_new(client, int(sys.argv[1]))
    track(cluster)
    print("ready " + bootstraps(cluster).decode(), flush=True)
    for line in sys.stdin:
        try:
            print("done", run(cluster, line.split()), flush=True)
        except Exception as error:
            print("failed", repr(error), flush=True)


main()
