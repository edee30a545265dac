"""Sends records at a steady rate with librdkafka and prints how long they took to be acknowledged, as JSON.

Arguments: bootstrap, topic, record size in bytes, records a second, seconds, seconds of warm-up before them.
Output: {"p50_ms": ..., "p99_ms": ..., "records": ...}. A record that is not acknowledged ends it with an error.
"""

import json
import sys
import time

from confluent_kafka import Producer


def main():
    bootstrap, topic, size, rate, seconds, warm_up = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True, "linger.ms": 0})
    value = b"x" * size
    latencies = []
    errors = []

    def delivered(error, message):
        if error is not None:
            errors.append(str(error))
        else:
            latencies.append(message.latency() * 1000)

    began = time.perf_counter()
    for sent in range(rate * (warm_up + seconds)):
        due = began + sent / rate
        while (left := due - time.perf_counter()) > 0:
            # Waits for answers meanwhile, at least for the shortest time that poll knows.
            producer.poll(max(left, 0.0001))
        producer.produce(topic, value, on_delivery=delivered)
        producer.poll(0)
    producer.flush(60)
    if errors or len(latencies) < rate * (warm_up + seconds):
        sys.exit(f"{len(latencies)} records were acknowledged, {len(errors)} failed: {errors[:1]}")
    measured = sorted(latencies[rate * warm_up :])
    print(
        json.dumps(
            {
                "p50_ms": measured[len(measured) // 2],
                "p99_ms": measured[len(measured) * 99 // 100],
                "records": len(measured),
            }
        )
    )


main()
