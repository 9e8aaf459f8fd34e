/**
 * The kernel configs of a root, newest version first: which kernel the bootloader tries, and in which order.
 * Used by `run.ts` at boot; pure but for listing the folder.
 */
import { join } from 'node:path'
import type { FileSystem, Json, JsonMap } from '../contracts/seams.ts'
import { coded, fromErrorData } from './errors.ts'
import { compareVersions, parseVersionName, type VersionName } from './version-name.ts'
import { readYaml } from './yaml.ts'

export interface MetaFile {
  /** path from the root */
  path: string
  version: VersionName
}

const META_LIMITS = { bytes_max: 1_048_576, tokens_max: 10_000 }

/** Dot files are off. A name that cannot be read as a version sorts last rather than being lost. */
export function findMetaFiles(root: string, fs: Pick<FileSystem, 'list'>): MetaFile[] {
  const found: MetaFile[] = []
  for (const name of fs.list(join(root, 'configs'))) {
    if (!/^meta[^/]*\.ya?ml$/.test(name)) continue
    const parsed = parseVersionName(name)
    const version = parsed === undefined || parsed === 'invalid' ? { name, version: null, parsed: null } : parsed
    found.push({ path: `configs/${name}`, version })
  }
  const isUnread = ({ path }: MetaFile): number =>
    parseVersionName(path.slice('configs/'.length)) === 'invalid' ? 1 : 0
  return found.sort(
    (a, b) => isUnread(a) - isUnread(b) || compareVersions(b.version, a.version) || (a.path < b.path ? -1 : 1),
  )
}

/** The values of a meta file. Throws a coded error when it is no map or names no `prog`. */
export function readMeta(path: string, text: string): JsonMap & { prog: string } {
  const yaml = readYaml(path, text, META_LIMITS)
  if (!yaml.ok) throw fromErrorData(yaml.error)
  const { value } = yaml
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw coded(
      'config_not_map',
      { found: value === null ? 'an empty file' : `a ${typeof value}` },
      { file: path, line: 1, column: 1 },
    )
  }
  if (typeof value['prog'] !== 'string') {
    throw coded(
      'config_key',
      { key: 'prog', reason: 'it must name the kernel, as `prog: kernel`' },
      { file: path, line: 1, column: 1 },
    )
  }
  for (const [key, wrong] of Object.entries(SANDBOX_KEYS)) {
    const reason = Object.hasOwn(value, key) ? wrong(value[key] as Json) : undefined
    if (reason !== undefined) throw coded('config_key', { key, reason }, { file: path, ...yaml.placeOf([key]) })
  }
  return value as JsonMap & { prog: string }
}

const listOfTexts = (value: Json): string | undefined =>
  Array.isArray(value) && value.every((one) => typeof one === 'string') ? undefined : 'it must be a list of names'

/** A mistake in these must not leave anything without its sandbox. */
const SANDBOX_KEYS: Record<string, (value: Json) => string | undefined> = {
  enable_sandboxing: (value) => (typeof value === 'boolean' ? undefined : 'it must be true or false'),
  trusted: listOfTexts,
  forbidden_imports: listOfTexts,
}
