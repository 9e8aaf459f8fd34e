/** The file cache reads a file again when it changed, and only then, also when the file system's clock is coarse. */
import { describe, expect, it } from 'vitest'
import type { FileStat, FileSystem } from '../../modules/contracts/seams.ts'
import { FileCache } from '../../modules/lib/file-cache.ts'

const TICK_MS = 10

/** A disk whose stamps move in ticks of 10 ms, as real ones do, and a clock that only moves when told. */
class Disk implements Pick<FileSystem, 'stat' | 'read'> {
  now = 1_000_000
  reads = 0
  kind: FileStat['kind'] = 'file'
  private text: string | undefined
  private stamp = 0

  write(text: string | undefined): void {
    this.text = text
    this.stamp = Math.floor(this.now / TICK_MS) * TICK_MS
  }

  stat = (): FileStat | undefined => {
    if (this.text === undefined) return undefined
    const bytes = Buffer.byteLength(this.text)
    return { kind: this.kind, key: `1:${bytes}:${this.stamp}`, inode: '1', bytes, mode: 0o644, modified_ms: this.stamp }
  }

  read = (): string | undefined => {
    this.reads++
    return this.text
  }
}

function setUp(text: string): { disk: Disk; cache: FileCache; get: () => string | undefined } {
  const disk = new Disk()
  disk.write(text)
  const cache = new FileCache(disk, { now: () => disk.now })
  return { disk, cache, get: () => cache.get('/a')?.text }
}

describe('a file', () => {
  it('that did not change is read once', () => {
    const { disk, get } = setUp('one')
    disk.now += 1000
    for (let look = 0; look < 5; look++) expect(get()).toBe('one')
    expect(disk.reads).toBe(1)
  })

  it('that was written again within the same tick, with the same size, is seen', () => {
    const { disk, get } = setUp('one')
    expect(get()).toBe('one')
    disk.write('two')
    expect(get()).toBe('two')
    disk.now += 3
    disk.write('six')
    expect(get()).toBe('six')
  })

  it('is seen even when it was last looked at just before the tick ended, and never again in between', () => {
    const { disk, get } = setUp('one')
    disk.now += TICK_MS - 1
    expect(get()).toBe('one')
    disk.write('two')
    disk.now += 60_000
    expect(get()).toBe('two')
  })

  it('is read again until its stamp is old enough, then no more', () => {
    const { disk, get } = setUp('one')
    get()
    get()
    expect(disk.reads).toBe(2)
    disk.now += 1000
    get()
    expect(disk.reads).toBe(3)
    get()
    get()
    expect(disk.reads).toBe(3)
  })

  it('with a stamp in the future is not trusted while it is near, and is seen when it changes', () => {
    const { disk, get } = setUp('one')
    disk.now -= 5
    expect(get()).toBe('one')
    disk.write('two')
    expect(get()).toBe('two')
  })

  it('keeps its hash while its bytes are the same, and gets another with others', () => {
    const { disk, cache } = setUp('one')
    const first = cache.get('/a')?.hash
    disk.now += 1000
    disk.write('one')
    expect(cache.get('/a')?.hash).toBe(first)
    disk.write('two')
    expect(cache.get('/a')?.hash).not.toBe(first)
  })

  it('that goes away, or turns into a folder, is forgotten', () => {
    const { disk, cache, get } = setUp('one')
    expect(get()).toBe('one')
    disk.write(undefined)
    expect([get(), cache.size, cache.peek('/a')]).toEqual([undefined, 0, undefined])
    disk.write('back')
    expect(get()).toBe('back')
    disk.kind = 'folder'
    expect(get()).toBeUndefined()
  })

  it('that vanishes between the look and the read is no file', () => {
    const { disk, cache } = setUp('one')
    disk.read = () => undefined
    expect(cache.get('/a')).toBeUndefined()
    expect(cache.size).toBe(0)
  })

  it('can be looked up without a look at the disk', () => {
    const { disk, cache } = setUp('one')
    expect(cache.peek('/a')).toBeUndefined()
    cache.get('/a')
    disk.write('two')
    expect(cache.peek('/a')?.text).toBe('one')
    cache.forget('/a')
    expect(cache.peek('/a')).toBeUndefined()
  })
})
