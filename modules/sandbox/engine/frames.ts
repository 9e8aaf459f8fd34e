/**
 * The pipe between a kernel and a child process. A frame is a length, what it is, the number of the guest, text and bytes;
 * all frames of one tick leave in one write. Packets of guests pass through the child unread. Used at both ends.
 */
import type { Socket } from 'node:net'

/** to the server: `open`, `text`, `close`, `usage`, `stop`; from it: `ready`, `ended`, `usage`, `beat` */
export const CONTROL = 1
/** messages from and to a guest */
export const PACKET = 2

export interface Frame {
  type: number
  guest: number
  text: string
  bytes: Uint8Array | undefined
}

const HEAD_BYTES = 13
/** Larger than any that is made: a broken pipe, or a child that is no longer ours. */
const FRAME_BYTES_MAX = 512 * 1024 * 1024

export class FramePipe {
  private readonly socket: Socket
  private readonly onFrame: (frame: Frame) => void
  private corked = false
  private pending: Buffer[] = []
  private pendingBytes = 0

  /** `onBroken` is told when something came that is no frame. */
  constructor(socket: Socket, onFrame: (frame: Frame) => void, onBroken: () => void) {
    this.socket = socket
    this.onFrame = onFrame
    socket.on('data', (chunk: Buffer) => {
      if (!this.take(chunk)) onBroken()
    })
  }

  /** Bytes that the other side has not taken yet. */
  get waiting(): number {
    return this.socket.writableLength
  }

  write(type: number, guest: number, text: string, bytes?: Uint8Array): void {
    if (this.socket.destroyed) return
    const textBytes = Buffer.byteLength(text)
    const size = HEAD_BYTES + textBytes + (bytes?.length ?? 0)
    const frame = Buffer.allocUnsafe(size)
    frame.writeUInt32LE(size - 4, 0)
    frame.writeUInt8(type, 4)
    frame.writeUInt32LE(guest, 5)
    frame.writeUInt32LE(textBytes, 9)
    frame.write(text, HEAD_BYTES)
    if (bytes !== undefined) frame.set(bytes, HEAD_BYTES + textBytes)
    if (!this.corked) {
      this.corked = true
      this.socket.cork()
      process.nextTick(() => {
        this.corked = false
        this.socket.uncork()
      })
    }
    this.socket.write(frame)
  }

  /** False when it is no frame. */
  private take(chunk: Buffer): boolean {
    this.pending.push(chunk)
    this.pendingBytes += chunk.length
    if (this.pendingBytes < 4) return true
    const first = this.pending[0] as Buffer
    // A large frame comes in many pieces: they are joined once it is whole.
    if (first.length >= 4 && this.pendingBytes < first.readUInt32LE(0) + 4)
      return first.readUInt32LE(0) < FRAME_BYTES_MAX
    const all = this.pending.length === 1 ? first : Buffer.concat(this.pending)
    let at = 0
    while (all.length - at >= 4) {
      const length = all.readUInt32LE(at)
      if (length < HEAD_BYTES - 4 || length > FRAME_BYTES_MAX) return false
      if (all.length - at < length + 4) break
      this.onFrame(frameAt(all, at, length + 4))
      at += length + 4
    }
    this.pending = at === all.length ? [] : [all.subarray(at)]
    this.pendingBytes = all.length - at
    return true
  }
}

function frameAt(all: Buffer, at: number, size: number): Frame {
  const textEnd = at + HEAD_BYTES + all.readUInt32LE(at + 9)
  return {
    type: all.readUInt8(at + 4),
    guest: all.readUInt32LE(at + 5),
    text: all.toString('utf8', at + HEAD_BYTES, Math.min(textEnd, at + size)),
    bytes: textEnd < at + size ? new Uint8Array(all.subarray(textEnd, at + size)) : undefined,
  }
}
