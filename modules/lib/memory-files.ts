/**
 * Files in memory over the real ones: what stands below `root` exists here only, everything else is read from disk and
 * cannot be written. For systems that are made up: the trial of a kernel, simulations.
 */
import { dirname } from 'node:path'
import type { FileStat, FileSystem } from '../contracts/seams.ts'

interface Entry {
  text: string
  mode: number
  /** grows with each write: two texts never have the same stat key */
  turn: number
  modified_ms: number
}

export function memoryFiles(root: string, real: FileSystem, now: () => number): FileSystem {
  const files = new Map<string, Entry>()
  let turns = 0
  const isInside = (path: string): boolean => path === root || path.startsWith(`${root}/`)
  const isFolder = (path: string): boolean => {
    for (const file of files.keys()) if (file.startsWith(`${path}/`)) return true
    return path === root
  }
  const refuse = (path: string): never => {
    throw Object.assign(new Error(`EROFS: read-only file system, '${path}'`), { code: 'EROFS' })
  }
  const statOf = (path: string): FileStat | undefined => {
    const entry = files.get(path)
    if (entry === undefined) {
      if (!isFolder(path)) return undefined
      return { kind: 'folder', key: path, inode: path, bytes: 0, mode: 0o755, modified_ms: 0 }
    }
    const { text, mode, turn, modified_ms } = entry
    return { kind: 'file', key: `${path}:${turn}`, inode: `${path}:${turn}`, bytes: text.length, mode, modified_ms }
  }
  const write = (path: string, text: string, mode = 0o644): void => {
    if (!isInside(path)) refuse(path)
    files.set(path, { text, mode, turn: ++turns, modified_ms: now() })
  }
  return {
    stat: (path) => (isInside(path) ? statOf(path) : real.stat(path)),
    read: (path) => (isInside(path) ? files.get(path)?.text : real.read(path)),
    list: (path) => {
      if (!isInside(path)) return real.list(path)
      const names = new Set<string>()
      for (const file of files.keys()) {
        if (file.startsWith(`${path}/`)) names.add(file.slice(path.length + 1).split('/')[0] ?? '')
      }
      return [...names].sort()
    },
    write: (path, text, options) => write(path, text, options?.mode),
    writeLater: async (path, text) => write(path, text),
    remove: (path) => {
      if (!isInside(path)) refuse(dirname(path))
      files.delete(path)
    },
  }
}
