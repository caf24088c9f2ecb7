/**
 * Memory in pages of its own, for buffers that stay for a while: the system gets it back once they are garbage. Other
 * buffers come from `malloc`, whose heap keeps what becomes free between two that stay: 55 MB of a first backup of
 * 2,000,000 files. To copy and to send it takes no longer, but its single bytes are not to be read: that makes the
 * methods of all buffers that are written in JavaScript (`readUInt32LE`) slower.
 *
 * @param bytes how many, all zero
 */
export const ownPages = (bytes: number): ArrayBuffer => new ArrayBuffer(bytes, { maxByteLength: bytes });
