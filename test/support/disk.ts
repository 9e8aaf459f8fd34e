/**
 * A disk that can be full, read-only or closed to us, and takes writes again when the test says so: behind the seam of the
 * file system, and for whole processes as a small one of the operating system's own.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FileSystem } from '../../modules/contracts/seams.ts'
import { realFileSystem } from '../../modules/lib/file-system.ts'

export class Disk {
  /** writes that were refused, by path */
  readonly refused: string[] = []
  private errno: string | undefined
  private where: (path: string) => boolean = () => false

  readonly fs: FileSystem = {
    ...realFileSystem,
    write: (path, text, options) => {
      this.check(path)
      realFileSystem.write(path, text, options)
    },
    writeLater: async (path, text, options) => {
      this.check(path)
      await realFileSystem.writeLater(path, text, options)
    },
    remove: (path) => {
      // Removing takes no room.
      if (this.errno !== 'ENOSPC') this.check(path)
      realFileSystem.remove(path)
    },
  }

  /** From now on what is to be written at such paths is refused with this code of the operating system. */
  refuse(errno: string, where: (path: string) => boolean = () => true): void {
    this.errno = errno
    this.where = where
  }

  lift(): void {
    this.errno = undefined
  }

  private check(path: string): void {
    if (this.errno === undefined || !this.where(path)) return
    this.refused.push(path)
    throw Object.assign(new Error(`${this.errno}: no, ${path}`), { code: this.errno })
  }
}

const FILL_MS = 5
const REMOUNTS_MAX = 500

const command = (name: string, ...args: string[]): boolean => spawnSync(name, args, { stdio: 'ignore' }).status === 0

/** A file system of its own, a few megabytes large, over a folder that is there. */
export class SmallDisk {
  private readonly path: string
  private filler: NodeJS.Timeout | undefined

  private constructor(path: string) {
    this.path = path
  }

  static mount(path: string, kilobytes: number): SmallDisk {
    if (!command('mount', '-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', path))
      throw new Error(`no disk at ${path}`)
    return new SmallDisk(path)
  }

  /** Only the superuser may, and not in every container. */
  static get possible(): boolean {
    const path = mkdtempSync(join(tmpdir(), 'mm-disk-'))
    const mounted = command('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path)
    if (mounted) command('umount', path)
    rmdirSync(path)
    return mounted
  }

  /** Until nothing more goes in, and again whenever something is removed, until it is emptied. */
  keepFull(): void {
    this.fill()
    this.filler = setInterval(() => this.fill(), FILL_MS)
  }

  private fill(): void {
    for (const bytes of [1_048_576, 65_536, 4_096, 512, 1]) this.fillBy(bytes)
  }

  private fillBy(bytes: number): void {
    for (;;) {
      try {
        writeFileSync(join(this.path, 'ballast'), Buffer.alloc(bytes), { flag: 'a' })
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code === 'ENOSPC') return
        throw thrown
      }
    }
  }

  empty(): void {
    clearInterval(this.filler)
    rmSync(join(this.path, 'ballast'), { force: true })
  }

  /** Not while a file is open for writing: it is asked for until none is. */
  async readOnly(on: boolean): Promise<void> {
    for (let tries = 0; !command('mount', '-o', `remount,${on ? 'ro' : 'rw'}`, this.path); tries++) {
      if (tries === REMOUNTS_MAX) throw new Error('it cannot be remounted')
      await new Promise((resolve) => setTimeout(resolve, FILL_MS))
    }
  }

  unmount(): void {
    command('umount', '-l', this.path)
  }
}
