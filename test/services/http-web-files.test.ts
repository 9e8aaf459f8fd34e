/** The dashboard's files as the server sends them: open, compressed, kept for ever where the name carries a hash. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { isWebPath, WebFiles } from '../../modules/services/http/web-files.ts'

let folder: string
const write = (name: string, text: string): void => {
  writeFileSync(join(folder, name), text)
  writeFileSync(join(folder, `${name}.gz`), gzipSync(text))
}
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mm-test-'))
  mkdirSync(join(folder, 'assets'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('the page is asked for again each time, what it names is kept for ever, and a new build is sent at once', () => {
  const files = new WebFiles(folder)
  write('index.html', 'one')
  write('assets/index-1a.js', 'script')
  expect(files.file('/', '').body.toString()).toBe('one')
  expect(files.file('/', '').headers['cache-control']).toBe('no-cache')
  expect(files.file('/assets/index-1a.js', '').headers).toMatchObject({
    'cache-control': 'public, max-age=31536000, immutable',
    'content-type': 'text/javascript; charset=utf-8',
  })
  write('index.html', 'another')
  expect(files.file('/', '').body.toString()).toBe('another')
})

it('who takes gzip gets what was compressed at the build', () => {
  write('index.html', 'page')
  const { headers, body } = new WebFiles(folder).file('/', 'gzip, br')
  expect([headers['content-encoding'], body.equals(gzipSync('page'))]).toEqual(['gzip', true])
})

it('without a build it says what to do; a file that is not there is not found; nothing outside is a file of it', () => {
  const files = new WebFiles(folder)
  expect(() => files.file('/', '')).toThrow(expect.objectContaining({ code: 'dashboard_missing' }))
  expect(() => files.file('/assets/x.js', '')).toThrow(expect.objectContaining({ code: 'not_found' }))
  expect(['/assets/../x.js', '/assets/.stamp', '/.stamp', '/api', '/assets/a.js.gz'].filter(isWebPath)).toEqual([])
})
