//! Small parts that gateways and the operator share: pauses, clocks, digests, locks, bounded texts and queues.
