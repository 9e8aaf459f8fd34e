/** What a grant allows, and what it does not: whatever is not granted is refused. */
import { describe, expect, it } from 'vitest'
import { parseGrant } from '../../../modules/lib/grant-text.ts'
import { isGranted, leastGrant, leastGrantOf, mayBeGranted, readGrants } from '../../../modules/sandbox/host/grants.ts'

const allows = (grants: string[], target: string, ...args: unknown[]): boolean => {
  const { service = '', aspect = '', method = '' } = parseGrant(target) ?? {}
  return isGranted(readGrants(grants), { service, aspect, method, args })
}

it.each([
  ['database.query', { service: 'database', aspect: 'default', method: 'query', pattern: undefined }],
  ['jobs/v1.2/x.go', { service: 'jobs/v1.2/x', method: 'go' }],
  ['a@tool.*', { service: 'a', aspect: 'tool', method: '*' }],
  ['fetch.get:localhost:8080', { service: 'fetch', method: 'get', pattern: 'localhost:8080' }],
  ['filesystem.read_file:data/a.b.txt', { service: 'filesystem', method: 'read_file', pattern: 'data/a.b.txt' }],
])('%s is read', (text, expected) => {
  expect(parseGrant(text)).toMatchObject(expected)
})

it.each(['', 'database', '.query', 'database.', '*', '*.*', 'data base.query', 'a._private', 'a.b:'])(
  '`%s` is no grant',
  (text) => {
    expect(parseGrant(text)).toBe(undefined)
  },
)

it('a service, a method, an aspect: nothing beside them', () => {
  expect(allows([], 'database.query', 'select 1')).toBe(false)
  expect(allows(['database.query'], 'database.query', 'select 1')).toBe(true)
  expect(allows(['database.query'], 'database.execute', 'select 1')).toBe(false)
  expect(allows(['database.query'], 'database@tool.query', {})).toBe(false)
  expect(allows(['database.*'], 'database.execute', 'select 1')).toBe(true)
  expect(allows(['database.*'], 'database@tool.query', {})).toBe(false)
  expect(allows(['database@tool.*'], 'database@tool.query', {})).toBe(true)
  expect(allows(['database@*.query'], 'database@tool.query', {})).toBe(true)
  expect(allows(['database.*'], 'database2.query', 'select 1')).toBe(false)
})

describe('paths', () => {
  it.each([
    ['data/**', 'data/a.txt', true],
    ['data/**', 'data/deep/er/a.txt', true],
    ['data/**', 'data', true],
    ['data/**', './data//a.txt', true],
    ['data/**', 'data/../secrets.txt', false],
    ['data/**', '../data/a.txt', false],
    ['data/**', '/data/a.txt', false],
    ['data/**', 'database/a.txt', false],
    ['data/**', 'data\\..\\a.txt', false],
    ['data/**', 'data/a\0.txt', false],
    ['data/*', 'data/a.txt', true],
    ['data/*', 'data/deep/a.txt', false],
    ['data/?.txt', 'data/a.txt', true],
    ['**/*.md', 'docs/deep/a.md', true],
    ['**/*.md', 'a.md', true],
    ['data/a.txt', 'data/aXtxt', false],
    ['data/a+b(1).txt', 'data/a+b(1).txt', true],
  ])('%s and %s: %s', (pattern, path, expected) => {
    expect(allows([`filesystem.read_file:${pattern}`], 'filesystem.read_file', path)).toBe(expected)
  })

  it('every path of a call counts', () => {
    const grants = ['filesystem.move_file:data/**']
    expect(allows(grants, 'filesystem.move_file', 'data/a', 'data/b')).toBe(true)
    expect(allows(grants, 'filesystem.move_file', 'data/a', 'modules/a.ts')).toBe(false)
    expect(allows([...grants, 'filesystem.move_file:out/*'], 'filesystem.move_file', 'data/a', 'out/a')).toBe(true)
    const changes = [{ path: 'data/a' }, { path: 'configs/x.yml' }]
    expect(allows(['filesystem.write_files:data/**'], 'filesystem.write_files', changes)).toBe(false)
    expect(allows(['filesystem.write_files:data/**'], 'filesystem.write_files', changes.slice(0, 1))).toBe(true)
  })

  it('what is no path is none', () => {
    for (const path of [undefined, null, 7, { toString: 'data/a' }, ['data/a']])
      expect(allows(['filesystem.read_file:data/**'], 'filesystem.read_file', path)).toBe(false)
    expect(allows(['filesystem.write_files:data/**'], 'filesystem.write_files', 'data/a')).toBe(false)
    expect(allows(['filesystem.list_files:data/**'], 'filesystem.list_files')).toBe(false)
  })
})

describe('hosts', () => {
  it.each([
    ['api.example.com', 'https://api.example.com/v1?x=1', true],
    ['api.example.com', 'https://API.example.com/', true],
    ['api.example.com', 'http://api.example.com:80/', true],
    ['api.example.com', 'https://api.example.com:8443/', false],
    ['api.example.com:8443', 'https://api.example.com:8443/', true],
    ['api.example.com', 'https://api.example.com@evil.org/', false],
    ['api.example.com', 'https://evil.org/api.example.com', false],
    ['api.example.com', 'https://api.example.com.evil.org/', false],
    ['*.example.com', 'https://a.example.com/', true],
    ['*.example.com', 'https://a.b.example.com/', false],
    ['*.example.com', 'https://example.com/', false],
    ['api.example.com', 'file:///api.example.com', false],
    ['api.example.com', 'api.example.com', false],
  ])('%s and %s: %s', (pattern, url, expected) => {
    expect(allows([`fetch.get:${pattern}`], 'fetch.get', url)).toBe(expected)
  })
})

describe('statements', () => {
  it.each([
    ['select *', 'SELECT id\n  FROM notes;', true],
    ['select * from notes *', 'select id from notes where id = 1', true],
    ['select * from notes *', 'select id from secrets where 1', false],
    ['select *', 'select 1; drop table notes', false],
    ['select *', 'select 1 -- drop', false],
    ['select *', 'delete from notes', false],
  ])('%s and %s: %s', (pattern, sql, expected) => {
    expect(allows([`database.query:${pattern}`], 'database.query', sql)).toBe(expected)
  })

  it('each statement of a transaction counts', () => {
    const both = [{ sql: 'insert into notes values (1)' }, { sql: 'delete from notes' }]
    expect(allows(['database.transaction:insert *'], 'database.transaction', both)).toBe(false)
    expect(
      allows(['database.transaction:insert *', 'database.transaction:delete *'], 'database.transaction', both),
    ).toBe(true)
  })
})

it('names of collections and tools', () => {
  expect(allows(['chromadb.query:notes_*'], 'chromadb.query', 'notes_a', {})).toBe(true)
  expect(allows(['chromadb.query:notes_*'], 'chromadb.query', 'secrets', {})).toBe(false)
  expect(allows(['tools.invoke:filesystem_read_file'], 'tools.invoke', 'filesystem_write_file', {})).toBe(false)
  expect(allows(['tools.invokeAll:a_*'], 'tools.invokeAll', [{ name: 'a_b' }, { name: 'c_d' }])).toBe(false)
})

it('a pattern on a method whose argument nobody knows grants nothing', () => {
  expect(allows(['mine.go:x'], 'mine.go', 'x')).toBe(false)
  expect(allows(['filesystem@tool.read_file:data/**'], 'filesystem@tool.read_file', { path: 'data/a' })).toBe(false)
  expect(allows(['constructor.toString:x'], 'constructor.toString', 'x')).toBe(false)
})

it('of what a scan found, the unknown parts are left to the call', () => {
  const may = (grants: string[], power: object): boolean =>
    mayBeGranted(readGrants(grants), { service: 'filesystem', aspect: 'default', method: 'read_file', ...power })
  expect(may([], {})).toBe(false)
  expect(may(['filesystem.read_file:data/**'], {})).toBe(true)
  expect(may(['filesystem.read_file:data/**'], { argument: 'data/a' })).toBe(true)
  expect(may(['filesystem.read_file:data/**'], { argument: 'modules/a' })).toBe(false)
  expect(may(['filesystem.read_file:data/**'], { argument: 'data/*' })).toBe(true)
  expect(may(['filesystem.search_files:data/**'], { method: 'search_files', argument: 'needle' })).toBe(true)
  expect(may(['filesystem.read_file:data/**'], { method: '*' })).toBe(true)
  expect(may(['database.query'], { method: '*' })).toBe(false)
  expect(may([], { service: '*', method: '*' })).toBe(true)
})

it('the least that would allow a call is named', () => {
  const least = (target: string, ...args: unknown[]): string => {
    const { service = '', aspect = '', method = '' } = parseGrant(target) ?? {}
    return leastGrant({ service, aspect, method, args })
  }
  expect(least('filesystem.read_file', './data/a.txt')).toBe('filesystem.read_file:data/a.txt')
  expect(least('fetch.get', 'https://api.example.com/v1')).toBe('fetch.get:api.example.com')
  expect(least('database.query', 'SELECT id FROM notes')).toBe('database.query:SELECT *')
  expect(least('mine.go', 'x')).toBe('mine.go')
  expect(least('a@tool.go', {})).toBe('a@tool.go')
  const power = { service: 'filesystem', aspect: 'default', method: 'read_file', argument: 'data/a.txt' }
  expect(leastGrantOf(power)).toBe('filesystem.read_file:data/a.txt')
})
