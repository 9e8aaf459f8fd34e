/**
 * A graph from texts that were kept, for a version whose files have changed or gone since: an overlay takes the place
 * of the file system for this one look, so that keys, stacks and later `import()`s are those of the files it was read
 * from. Packages are not kept: they are the ones installed now, and their versions can be compared.
 */
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clock, ContentCache, FileStat, FileSystem } from '../contracts/seams.ts'
import { shortHash } from '../lib/hash.ts'
import { Sources, type GraphScan } from './graph.ts'
import { Resolver } from './resolve.ts'

interface Places {
  root: string
  packageRoot: string
  libEntry: string
  fs: FileSystem
  clock: Clock
  cache?: ContentCache
}

/** Never throws: what is wrong is in the result, as for any look. */
export const scanKept = (entry: string, texts: ReadonlyMap<string, string>, places: Places): GraphScan =>
  scanOver(entry, overlay(texts, places), places)

/** The graph as it stands on disk, but for these files: as it would be if they were written. */
export function scanChanged(entry: string, texts: ReadonlyMap<string, string | null>, places: Places): GraphScan {
  const { fs } = places
  const changed: Pick<FileSystem, 'stat' | 'read'> = {
    stat(path) {
      const text = texts.get(path)
      return text === undefined ? fs.stat(path) : text === null ? undefined : statOf(text)
    },
    read(path) {
      const text = texts.get(path)
      return text === undefined ? fs.read(path) : (text ?? undefined)
    },
  }
  return scanOver(entry, changed, places)
}

function scanOver(entry: string, over: Pick<FileSystem, 'stat' | 'read'>, places: Places): GraphScan {
  const { root, clock, cache } = places
  const fs = over
  const sources = new Sources({
    fs,
    clock,
    root,
    resolver: new Resolver({ ...places, fs }),
    // It may look things up; what the next start keeps is the business of the files on disk.
    cache: cache && { get: (key) => cache.get(key), bytes: (key) => cache.bytes(key), keep: () => {} },
  })
  return sources.scan(entry)
}

/** Files of the graph are there as they were kept, and no others: a file added since could be found before them. */
function overlay(texts: ReadonlyMap<string, string>, { fs, packageRoot }: Places): Pick<FileSystem, 'stat' | 'read'> {
  const vendor = join(packageRoot, 'vendor') + sep
  return {
    stat(path) {
      const text = texts.get(path)
      if (text !== undefined) return statOf(text)
      return path.startsWith(vendor) ? fs.stat(path) : undefined
    },
    read: (path) => texts.get(path),
  }
}

const statOf = (text: string): FileStat => ({
  kind: 'file',
  key: shortHash(text),
  inode: '',
  bytes: Buffer.byteLength(text),
  mode: 0o600,
  modified_ms: 0,
})

/** Name → version of the packages that the files of a graph import, as far as they say so themselves. */
export function installedPackages(scan: GraphScan, fs: Pick<FileSystem, 'read'>): Record<string, string> {
  const folders = new Map<string, string>()
  for (const { imports } of scan.nodes.values()) {
    for (const target of imports.values()) {
      if (target.kind !== 'native' || !target.url.startsWith('file:')) continue
      const found = /^(.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+))[\\/]/.exec(fileURLToPath(target.url))
      if (found?.[1] !== undefined && found[2] !== undefined) folders.set(found[2], found[1])
    }
  }
  const versions = [...folders].map(([name, folder]) => [name, versionIn(folder, fs)] as const)
  return Object.fromEntries(versions.filter((one): one is [string, string] => one[1] !== undefined).sort())
}

function versionIn(folder: string, fs: Pick<FileSystem, 'read'>): string | undefined {
  try {
    const { version } = JSON.parse(fs.read(join(folder, 'package.json')) ?? '{}') as { version?: unknown }
    return typeof version === 'string' ? version : undefined
  } catch {
    return undefined // not a package that names its version
  }
}
