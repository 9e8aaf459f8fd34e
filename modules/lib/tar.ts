/**
 * Tar archives of plain files, one entry after the other, as every `tar` reads them (ustar, with a pax record where a
 * name does not fit). Written and read as streams: no file is held in memory. What is read may come from anywhere: a name
 * that leads out of its folder, and anything that is no plain file, is refused.
 */
import { coded } from './errors.ts'

const BLOCK = 512
/** What eleven octal digits hold. */
const BYTES_MAX = 8 ** 11 - 1
const PAX_BYTES_MAX = 65_536
const CHECKSUM = { at: 148, bytes: 8 }

export interface TarEntry {
  /** relative, with `/` */
  path: string
  mode: number
  bytes: number
  /** epoch milliseconds */
  modified_ms: number
}

const octal = (value: number, bytes: number): string =>
  `${Math.trunc(value)
    .toString(8)
    .padStart(bytes - 1, '0')}\0`
const padding = (bytes: number): number => (BLOCK - (bytes % BLOCK)) % BLOCK

function header({ path, mode, bytes, modified_ms }: TarEntry, type: '0' | 'x'): Buffer {
  const block = Buffer.alloc(BLOCK)
  block.write(path, 0, 100)
  block.write(octal(mode & 0o7777, 8), 100)
  block.write(octal(0, 8), 108)
  block.write(octal(0, 8), 116)
  block.write(octal(bytes, 12), 124)
  block.write(octal(modified_ms / 1_000, 12), 136)
  block.fill(' ', CHECKSUM.at, CHECKSUM.at + CHECKSUM.bytes)
  block.write(type, 156)
  block.write('ustar\u000000', 257)
  block.write(`${octal(sum(block), 7)} `, CHECKSUM.at)
  return block
}

const sum = (block: Buffer): number => block.reduce((total, byte) => total + byte, 0)

/** `length key=value\n`, where the length counts itself. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let length = rest + 1
  while (String(length).length + rest !== length) length = String(length).length + rest
  return Buffer.from(`${length} ${key}=${value}\n`)
}

/** What stands before the bytes of a file. Throws `backup_failed` for one that is too large. */
export function tarHead(entry: TarEntry): Buffer {
  if (entry.bytes > BYTES_MAX) throw coded('backup_failed', { reason: `${entry.path} is larger than 8 GiB` })
  if (Buffer.byteLength(entry.path) <= 100 && /^[\x20-\x7e]*$/.test(entry.path)) return header(entry, '0')
  const record = paxRecord('path', entry.path)
  const before = header({ ...entry, path: 'pax', bytes: record.length }, 'x')
  return Buffer.concat([before, record, Buffer.alloc(padding(record.length)), header({ ...entry, path: 'long' }, '0')])
}

export const tarTail = (bytes: number): Buffer => Buffer.alloc(padding(bytes))
export const TAR_END = Buffer.alloc(BLOCK * 2)

/**
 * Each file of an archive, in its order; `read` must take its bytes before the next one is asked for. Throws
 * `backup_damaged`.
 */
export async function* readTar(
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<{ entry: TarEntry; read: () => AsyncGenerator<Buffer> }> {
  const source = new Blocks(chunks)
  let name: string | undefined
  for (;;) {
    const block = await source.take(BLOCK)
    if (block === undefined) throw damaged('it ends before its end')
    if (block.every((byte) => byte === 0)) return
    const { entry, type } = parse(block)
    if (type === 'x') {
      if (entry.bytes > PAX_BYTES_MAX) throw damaged('a name in it is too long')
      name = paxPath(await source.all(entry.bytes))
      await source.all(padding(entry.bytes))
      continue
    }
    if (type !== '0') throw damaged(`${entry.path} is no plain file`)
    const path = name ?? entry.path
    name = undefined
    if (!isInside(path)) throw damaged(`the name ${JSON.stringify(path)} leads out of the folder`)
    let left = entry.bytes
    const read = async function* (): AsyncGenerator<Buffer> {
      while (left > 0) {
        const chunk = await source.some(left)
        left -= chunk.length
        yield chunk
      }
    }
    yield { entry: { ...entry, path }, read }
    for await (const _rest of read());
    await source.all(padding(entry.bytes))
  }
}

const damaged = (reason: string): Error => coded('backup_damaged', { reason })

const isInside = (path: string): boolean =>
  path !== '' &&
  !path.startsWith('/') &&
  !/[\0\\]/.test(path) &&
  path.split('/').every((part) => part !== '..' && part !== '.' && part !== '')

function parse(block: Buffer): { entry: TarEntry; type: string } {
  const text = (at: number, bytes: number): string => block.toString('utf8', at, at + bytes).replace(/\0.*$/s, '')
  const number = (at: number, bytes: number): number => Number.parseInt(text(at, bytes).trim() || '0', 8)
  const blank = Buffer.from(block).fill(' ', CHECKSUM.at, CHECKSUM.at + CHECKSUM.bytes)
  if (number(CHECKSUM.at, CHECKSUM.bytes) !== sum(blank)) throw damaged('one of its entries does not begin as one')
  const path = text(0, 100)
  const bytes = number(124, 12)
  if (!(bytes >= 0)) throw damaged(`${path} has no size`)
  return {
    entry: { path, mode: number(100, 8) & 0o7777, bytes, modified_ms: number(136, 12) * 1_000 },
    type: text(156, 1) || '0',
  }
}

const paxPath = (record: Buffer): string | undefined => /^\d+ path=(.*)$/m.exec(record.toString('utf8'))?.[1]

/** Bytes as they are asked for, however they come. */
class Blocks {
  private readonly chunks: AsyncIterator<Buffer>
  private held: Buffer = Buffer.alloc(0)

  constructor(chunks: AsyncIterable<Buffer>) {
    this.chunks = chunks[Symbol.asyncIterator]()
  }

  /** undefined: there are fewer. */
  async take(bytes: number): Promise<Buffer | undefined> {
    while (this.held.length < bytes) {
      const next = await this.chunks.next()
      if (next.done === true) return undefined
      this.held = this.held.length === 0 ? next.value : Buffer.concat([this.held, next.value])
    }
    const taken = this.held.subarray(0, bytes)
    this.held = this.held.subarray(bytes)
    return taken
  }

  async all(bytes: number): Promise<Buffer> {
    const taken = await this.take(bytes)
    if (taken === undefined) throw damaged('it ends before its end')
    return taken
  }

  /** At least one byte, at most so many. */
  async some(bytes: number): Promise<Buffer> {
    if (this.held.length === 0) {
      const next = await this.chunks.next()
      if (next.done === true) throw damaged('it ends before its end')
      this.held = next.value
    }
    const taken = this.held.subarray(0, bytes)
    this.held = this.held.subarray(taken.length)
    return taken
  }
}
