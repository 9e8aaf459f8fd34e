/** A config's version is cut from its name by one anchored pattern; what cannot be read is refused, never guessed. */
import { describe, expect, it } from 'vitest'
import { compareVersions, parseVersionName, type VersionName } from '../../modules/lib/version-name.ts'

function parsed(name: string): VersionName {
  const found = parseVersionName(name)
  if (found === undefined || found === 'invalid') throw new Error(`${name}: ${found}`)
  return found
}

describe('a version at the end of the name', () => {
  const NAMES: [file: string, name: string, version: string, full: string][] = [
    ['api-v1.yml', 'api', '1', '1.0.0'],
    ['api-v1.0.yml', 'api', '1.0', '1.0.0'],
    ['api-v1.2.3.yaml', 'api', '1.2.3', '1.2.3'],
    ['api-v0.0.0.yml', 'api', '0.0.0', '0.0.0'],
    ['meta-v10.20.30.yml', 'meta', '10.20.30', '10.20.30'],
    ['logger2-v1.0.yml', 'logger2', '1.0', '1.0.0'],
    ['my-own-name-v3.yml', 'my-own-name', '3', '3.0.0'],
    ['api-v1.0-beta.yml', 'api', '1.0-beta', '1.0.0-beta'],
    ['api-v1.0.0-rc.1.yml', 'api', '1.0.0-rc.1', '1.0.0-rc.1'],
    ['v2-v1.yml', 'v2', '1', '1.0.0'],
  ]
  it.each(NAMES)('%s is %s in version %s', (file, name, version, full) => {
    const found = parsed(file)
    expect([found.name, found.version, found.parsed?.version]).toEqual([name, version, full])
  })
})

it('a name without a version has none', () => {
  for (const file of [
    'api.yml',
    'api.yaml',
    'v1.yml',
    'api-v.yml',
    'api-vlan.yml',
    'api2.yml',
    'api-1.0.yml',
    'apiv1.yml',
    'api.v1.yml',
  ]) {
    expect(parsed(file)).toEqual({ name: file.replace(/\.ya?ml$/, ''), version: null, parsed: null })
  }
})

describe('a version that cannot be read is refused', () => {
  const versions =
    '1.0.0.1 01.2 1.02 2024.10.05 99999999999999999.1 1. 1..2 1.x 1.0.0. 1.0a 1.0.0.1-rc 01.2-beta 1.0-beta_1 1.0- 1.0-rc..1'
  it.each(versions.split(' '))('%s', (version) => {
    expect(parseVersionName(`api-v${version}.yml`)).toBe('invalid')
  })
})

it('a file that is no YAML has no name', () => {
  for (const file of ['api.json', 'api-v1.yml.bak', 'api-v1', '.yml', '', 'api.yml~'])
    expect(parseVersionName(file)).toBeUndefined()
})

describe('order', () => {
  const sorted = (files: string[]): string[] => files.sort((a, b) => compareVersions(parsed(a), parsed(b)))

  it('1.10 is newer than 1.9, no version is oldest, a pre-release is older than its release', () => {
    const right = [
      'a.yml',
      'a-v0.9.yml',
      'a-v1-beta.yml',
      'a-v1.yml',
      'a-v1.9.yml',
      'a-v1.9.1.yml',
      'a-v1.10.yml',
      'a-v2.yml',
      'a-v10.yml',
    ]
    expect(sorted([...right].reverse())).toEqual(right)
    expect(sorted([...right.slice(4), ...right.slice(0, 4)])).toEqual(right)
  })

  it('v1, v1.0 and v1.0.0 are equal, so that somebody can say so', () => {
    for (const other of ['a-v1.0.yml', 'a-v1.0.0.yml', 'a-v1.0.0.yaml'])
      expect(compareVersions(parsed('a-v1.yml'), parsed(other))).toBe(0)
    expect(compareVersions(parsed('a.yml'), parsed('a.yaml'))).toBe(0)
  })
})
