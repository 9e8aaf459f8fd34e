/**
 * File names with versions, `name-v1.2.yml`. The version is cut by an anchored pattern and padded to three parts;
 * semver's own coercion is not used, because it reads `logger2-v1.0` as 2.0.0 and drops a fourth part.
 * Used by the bootloader for meta files and by the kernel for all configs.
 */
import semver from 'semver'

export interface VersionName {
  /** the file name without version and extension */
  name: string
  /** as written, or null when the file has none; none sorts lowest */
  version: string | null
  parsed: semver.SemVer | null
}

const VERSIONED = /^(?<name>.+?)-v(?<version>\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]+)?)\.ya?ml$/
const PLAIN = /^(?<name>.+?)\.ya?ml$/
/** `-v` and a digit near the end was meant as a version: refuse it rather than read it as part of the name. */
const MEANT_AS_VERSION = /-v\d(?:[^-]*$|\d*[.-])/

/** undefined: not a YAML file. 'invalid': a YAML file whose version cannot be read. */
export function parseVersionName(fileName: string): VersionName | 'invalid' | undefined {
  const plain = PLAIN.exec(fileName)?.groups?.['name']
  if (plain === undefined) return undefined
  const groups = VERSIONED.exec(fileName)?.groups
  if (groups === undefined) {
    return MEANT_AS_VERSION.test(plain) ? 'invalid' : { name: plain, version: null, parsed: null }
  }
  const version = groups['version'] ?? ''
  const [numbers = '', ...rest] = version.split('-')
  const padded = [...numbers.split('.'), '0', '0'].slice(0, 3).join('.')
  const parsed = semver.parse(rest.length === 0 ? padded : `${padded}-${rest.join('-')}`)
  return parsed === null ? 'invalid' : { name: groups['name'] ?? '', version, parsed }
}

/** Negative when `a` is older. A file without a version is older than any with one. */
export function compareVersions(a: VersionName, b: VersionName): number {
  if (a.parsed === null || b.parsed === null) return (a.parsed === null ? 0 : 1) - (b.parsed === null ? 0 : 1)
  return semver.compare(a.parsed, b.parsed)
}
