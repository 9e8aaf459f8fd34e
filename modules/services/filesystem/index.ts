/**
 * The service `filesystem`: files inside the root, for modules and tools that have no other way to them. Writes are
 * whole or not at all. What may be touched is decided in `paths.ts` and nowhere else.
 */
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { KernelApi } from '../../contracts/module.ts'
import type { FileChange, FileChanged, FileEntry, FilesystemApi } from '../../contracts/services.ts'
import { coded } from '../../lib/errors.ts'
import { shortHash } from '../../lib/hash.ts'
import { writeWhole } from '../../lib/whole-file.ts'
import { changeFiles, editedText, moveFile, putAside } from './changes.ts'
import { fileTools } from './file-tools.ts'
import { onDisk } from './on-disk.ts'
import { isSecret, safePath } from './paths.ts'

export const configSchema = z.object({
  /** largest file that is read or written whole */
  bytes_max: z.number().int().positive().default(1_048_576),
  entries_max: z.number().int().positive().default(2_000),
  matches_max: z.number().int().positive().default(200),
  depth_max: z.number().int().positive().default(12),
  batch_files_max: z.number().int().positive().default(50),
  /** deleted files that are put aside; the oldest goes for another one */
  deleted_kept_max: z.number().int().positive().default(200),
})

type Config = z.infer<typeof configSchema>
const SKIPPED = new Set(['node_modules', '.git'])

export class Module implements FilesystemApi {
  readonly #root: string
  readonly #config: Config
  readonly #clock: KernelApi['clock']

  constructor(kernel: KernelApi, config: Config) {
    this.#clock = kernel.clock
    this.#root = kernel.paths.root
    this.#config = config
  }

  /** `offset` and `limit` count bytes. A part may begin inside a character; whole files never do. */
  read_file(path: string, options: { offset?: number; limit?: number } = {}): ReturnType<FilesystemApi['read_file']> {
    const { absolute, shown } = safePath(this.#root, path, 'read')
    return onDisk(shown, () => {
      // The path is real already; refusing links here closes the gap between the check and the use.
      const file = openSync(absolute, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      try {
        const stat = fstatSync(file)
        if (!stat.isFile())
          throw coded('file_kind', { path: shown, found: stat.isDirectory() ? 'a folder' : 'no regular file' })
        const offset = Math.max(0, Math.trunc(options.offset ?? 0))
        const limit = Math.min(this.#config.bytes_max, Math.max(0, Math.trunc(options.limit ?? this.#config.bytes_max)))
        if (options.limit === undefined && stat.size - offset > this.#config.bytes_max) {
          throw coded('file_too_large', { path: shown, bytes: stat.size, limit: this.#config.bytes_max })
        }
        const buffer = Buffer.alloc(Math.max(0, Math.min(limit, stat.size - offset)))
        const read = readSync(file, buffer, 0, buffer.length, offset)
        if (buffer.subarray(0, Math.min(read, 8192)).includes(0))
          throw coded('file_kind', { path: shown, found: 'a binary file' })
        return {
          path: shown,
          content: buffer.subarray(0, read).toString('utf8'),
          bytes: stat.size,
          truncated: offset + read < stat.size,
          ...(read === stat.size ? { hash: shortHash(buffer) } : {}),
        }
      } finally {
        closeSync(file)
      }
    })
  }

  write_file(path: string, content: string): { path: string; bytes: number } {
    if (typeof content !== 'string') throw coded('bad_arguments', { reason: 'the content must be text' })
    const { absolute, shown } = safePath(this.#root, path, 'write')
    const bytes = Buffer.byteLength(content)
    if (bytes > this.#config.bytes_max)
      throw coded('file_too_large', { path: shown, bytes, limit: this.#config.bytes_max })
    return onDisk(shown, () => {
      if (statSync(absolute, { throwIfNoEntry: false })?.isDirectory() === true)
        throw coded('file_kind', { path: shown, found: 'a folder' })
      mkdirSync(dirname(absolute), { recursive: true })
      writeWhole(absolute, content)
      return { path: shown, bytes }
    })
  }

  write_files(changes: FileChange[]): FileChanged[] {
    return changeFiles(this.#root, this.#config, changes)
  }

  edit_file(path: string, oldText: string, newText: string, base?: string): FileChanged & { line: number } {
    const read = this.read_file(path)
    if (base !== undefined && read.hash !== base) throw coded('file_changed', { file: read.path })
    const { text, line } = editedText(read.path, read.content, oldText, newText)
    const [changed] = this.write_files([
      { path, content: text, ...(read.hash === undefined ? {} : { base: read.hash }) },
    ])
    return { ...(changed as FileChanged), line }
  }

  move_file(from: string, to: string): { from: string; to: string } {
    return moveFile(this.#root, from, to)
  }

  delete_file(path: string): { path: string; kept_at: string } {
    return putAside(this.#root, this.#config, path, this.#clock.now())
  }

  list_files(
    path = '.',
    options: { recursive?: boolean } = {},
  ): { path: string; files: FileEntry[]; truncated: boolean } {
    const start = safePath(this.#root, path, 'read')
    return onDisk(start.shown, () => {
      const files: FileEntry[] = []
      const truncated = !this.#walk(
        start.absolute,
        start.shown,
        options.recursive === true ? this.#config.depth_max : 0,
        (entry) => {
          if (files.length >= this.#config.entries_max) return false
          files.push(entry)
          return true
        },
      )
      return { path: start.shown === '' ? '.' : start.shown, files, truncated }
    })
  }

  /** Plain text, not a pattern. Files that look binary or are too large are left out. */
  search_files(text: string, path = '.'): ReturnType<FilesystemApi['search_files']> {
    if (typeof text !== 'string' || text === '')
      throw coded('bad_arguments', { reason: 'the text to search for is empty' })
    const start = safePath(this.#root, path, 'read')
    return onDisk(start.shown, () => {
      const matches: { path: string; line: number; text: string }[] = []
      const whole = this.#walk(start.absolute, start.shown, this.#config.depth_max, (entry) => {
        if (entry.kind === 'file' && entry.bytes <= this.#config.bytes_max) this.#searchFile(entry.path, text, matches)
        return matches.length < this.#config.matches_max
      })
      return { matches, truncated: !whole }
    })
  }

  #searchFile(shown: string, text: string, matches: { path: string; line: number; text: string }[]): void {
    const content = readFileSync(join(this.#root, shown), 'utf8')
    if (!content.includes(text) || content.includes('\0')) return
    for (const [index, line] of content.split('\n').entries()) {
      if (!line.includes(text)) continue
      matches.push({ path: shown, line: index + 1, text: line.trim().slice(0, 240) })
      if (matches.length >= this.#config.matches_max) return
    }
  }

  /**
   * Visits what is under a folder, links left out. False when `visit` had enough, or when something lies deeper than
   * `depth` levels; `depth` 0 looks at the folder itself only and calls that whole.
   */
  #walk(absolute: string, shown: string, depth: number, visit: (entry: FileEntry) => boolean): boolean {
    const state = { enough: false, deeper: false }
    const folder = (at: string, name: string, left: number): void => {
      for (const one of readdirSync(at, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
        const path = name === '' ? one.name : `${name}/${one.name}`
        if (SKIPPED.has(one.name) || isSecret(path) || !(one.isFile() || one.isDirectory())) continue
        if (left < 0) {
          state.deeper = true
          return
        }
        const stat = statSync(join(at, one.name), { throwIfNoEntry: false })
        if (stat === undefined) continue
        const kind = one.isFile() ? 'file' : 'folder'
        state.enough = !visit({
          path,
          kind,
          bytes: kind === 'file' ? stat.size : 0,
          modified_ms: Math.round(stat.mtimeMs),
        })
        if (!state.enough && kind === 'folder' && depth > 0) folder(join(at, one.name), path, left - 1)
        if (state.enough) return
      }
    }
    folder(absolute, shown, depth)
    return !state.enough && !state.deeper
  }

  getAspect(name: string): object | undefined {
    return name === 'tool' ? fileTools(this) : undefined
  }
}
