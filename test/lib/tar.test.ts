/** Archives that every `tar` reads, and nothing that leads out of their folder. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, expect, it } from 'vitest'
import { readTar, TAR_END, tarHead, tarTail } from '../../modules/lib/tar.ts'
import { createRoot, type TestRoot } from '../support/root.ts'
import { rejection } from '../support/system.ts'

const roots: TestRoot[] = []
afterEach(() => {
  for (const root of roots.splice(0)) root.dispose()
})

const archive = (files: Record<string, string>): Buffer =>
  Buffer.concat([
    ...Object.entries(files).map(([path, text]) => {
      const bytes = Buffer.from(text)
      const head = tarHead({ path, mode: 0o640, bytes: bytes.length, modified_ms: 1_700_000_000_000 })
      return Buffer.concat([head, bytes, tarTail(bytes.length)])
    }),
    TAR_END,
  ])

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function unpacked(bytes: Buffer, size = 1_000): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  for await (const { entry, read } of readTar(inPieces(bytes, size))) {
    const parts: Buffer[] = []
    for await (const part of read()) parts.push(part)
    files[entry.path] = Buffer.concat(parts).toString('utf8')
  }
  return files
}

const LONG = `${'a-long-folder/'.repeat(12)}file.txt`
const FILES = { 'a.txt': 'text', empty: '', 'größe/ü.txt': 'ü', [LONG]: 'x'.repeat(5_000) }

it('what is written is read, in pieces of any size', async () => {
  for (const size of [1, 7, 511, 512, 513, 100_000]) expect(await unpacked(archive(FILES), size)).toEqual(FILES)
})

it('any names and texts come back as they were', async () => {
  const name = fc.stringMatching(/^[\wäß €.-]{1,60}$/).filter((one) => one !== '.' && one !== '..')
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
  await fc.assert(
    fc.asyncProperty(fc.dictionary(path, fc.string({ maxLength: 1_500 }), { maxKeys: 5 }), async (files) => {
      const plain = Object.fromEntries(Object.entries(files))
      expect(await unpacked(archive(plain), 700)).toEqual(plain)
    }),
    { numRuns: 50 },
  )
})

it('another tar reads it, and its archives are read', async () => {
  const root = createRoot()
  roots.push(root)
  root.write('ours.tar', '')
  const { writeFileSync } = await import('node:fs')
  writeFileSync(join(root.path, 'ours.tar'), archive(FILES))
  root.write('out/.keep', '')
  const tar = (...args: string[]): number | null => spawnSync('tar', args, { cwd: root.path }).status
  expect(tar('xf', 'ours.tar', '-C', 'out')).toBe(0)
  for (const [path, text] of Object.entries(FILES)) expect(root.read(`out/${path}`)).toBe(text)
  expect(tar('cf', 'theirs.tar', '--format=pax', '-C', 'out', ...Object.keys(FILES))).toBe(0)
  expect(await unpacked(readFileSync(join(root.path, 'theirs.tar')))).toEqual(FILES)
})

it('names that lead out, links and torn archives are refused', async () => {
  for (const path of ['../x', '/etc/x', 'a/../../x', 'a//b', './a', 'a\\b'])
    expect([path, (await rejection(unpacked(archive({ [path]: 'x' })))).code]).toEqual([path, 'backup_damaged'])
  const whole = archive({ 'a.txt': 'text' })
  for (const bytes of [whole.subarray(0, 600), whole.subarray(0, 100), Buffer.from(whole).fill(7, 10, 20)])
    expect((await rejection(unpacked(bytes))).code).toBe('backup_damaged')
  const root = createRoot()
  roots.push(root)
  spawnSync('sh', ['-c', 'ln -s /etc/passwd link; tar cf link.tar link'], { cwd: root.path })
  expect((await rejection(unpacked(readFileSync(join(root.path, 'link.tar'))))).message).toContain('no plain file')
})
