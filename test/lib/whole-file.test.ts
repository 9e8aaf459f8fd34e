/** Writing whole files, and what a killed writer leaves behind. */
import { spawn } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { findDrafts, removeDrafts, writeWhole, writeWholeLater } from '../../modules/lib/whole-file.ts'
import { typescriptArgs } from '../support/process.ts'
import { createRoot, packageRoot, type TestRoot } from '../support/root.ts'

let root: TestRoot
beforeEach(() => {
  root = createRoot()
})
afterEach(() => root.dispose())

const at = (file: string): string => join(root.path, file)
const WAYS = { writeWhole, writeWholeLater }

for (const [name, write] of Object.entries(WAYS)) {
  it(`${name}: the new text stands where the old one stood, with its mode, and nothing beside it`, async () => {
    root.write('modules/x.ts', 'old')
    chmodSync(at('modules/x.ts'), 0o640)
    await write(at('modules/x.ts'), 'größer')
    expect(root.read('modules/x.ts')).toBe('größer')
    expect(statSync(at('modules/x.ts')).mode & 0o777).toBe(0o640)
    await write(at('modules/private'), 'text', { mode: 0o600, flush: false })
    expect(statSync(at('modules/private')).mode & 0o777).toBe(0o600)
    expect(readdirSync(at('modules'))).toEqual(['private', 'x.ts'])
  })

  it(`${name}: a link stays a link, and a name may be as long as a folder allows`, async () => {
    root.write('configs/real.yml', 'old')
    symlinkSync('real.yml', at('configs/link.yml'))
    await write(at('configs/link.yml'), 'new')
    expect(root.read('configs/real.yml')).toBe('new')
    const long = `${'n'.repeat(251)}.yml`
    await write(at(`configs/${long}`), 'long')
    expect(readdirSync(at('configs')).sort()).toEqual(['link.yml', 'meta-v1.0.0.yml', long, 'real.yml'])
  })

  it(`${name}: what cannot take the text stays as it was`, async () => {
    root.write('modules/folder/x.ts', 'x')
    const work = async (): Promise<void> => await write(at('modules/folder'), 'text')
    await expect(work()).rejects.toMatchObject({ code: 'EISDIR' })
    expect(readdirSync(at('modules'))).toEqual(['folder'])
    const nowhere = async (): Promise<void> => await write(at('modules/no/x.ts'), 'text')
    await expect(nowhere()).rejects.toMatchObject({ code: 'ENOENT' })
  })
}

it('of two at once for one file, one stays, whole', async () => {
  const texts = Array.from({ length: 20 }, (_, index) => String(index).repeat(10_000))
  await Promise.all(texts.map((text) => writeWholeLater(at('configs/x.yml'), text)))
  expect(texts).toContain(root.read('configs/x.yml'))
  expect(readdirSync(at('configs'))).toEqual(['meta-v1.0.0.yml', 'x.yml'])
})

it('drafts of dead processes and drafts from before are removed, and nothing that somebody else may have made', async () => {
  const dead = spawn(process.execPath, ['-e', ''])
  await once(dead, 'exit')
  const drafts = [
    `configs/deep/.x.yml.${dead.pid}-1.mm-draft`,
    `.notes.txt.${dead.pid}-12.mm-draft`,
    `modules/.old.${process.pid}-9.mm-draft`,
    `runtime/lock.${dead.pid}`,
    `runtime/lock.over.${dead.pid}`,
  ]
  const others = [
    `modules/.mine.${process.pid}-10.mm-draft`,
    `modules/.theirs.${process.ppid}-10.mm-draft`,
    `configs/x.yml.${dead.pid}`,
    `configs/lock.${dead.pid}`,
    'configs/.x.yml.mm-draft',
    'notes.mm-draft',
    `node_modules/.x.${dead.pid}-1.mm-draft`,
  ]
  for (const file of [...drafts, ...others]) root.write(file, 'half')
  utimesSync(at(drafts[2] ?? ''), 1, 1)
  const before = Date.now() - 60_000
  expect((await findDrafts(root.path, before)).sort()).toEqual([...drafts].sort())
  expect((await removeDrafts(root.path, before)).sort()).toEqual([...drafts].sort())
  expect(await findDrafts(root.path, before)).toEqual([])
  for (const file of others) expect(root.read(file)).toBe('half')
})

it('a process that is killed while it writes leaves the old file or the new one', async () => {
  const [old, next] = ['old'.repeat(300_000), 'new'.repeat(300_000)]
  root.write('configs/x.txt', old)
  const script = `
    import { writeWhole } from ${JSON.stringify(join(packageRoot, 'modules/lib/whole-file.ts'))}
    process.stdout.write('ready')
    for (let n = 0; ; n++) writeWhole(${JSON.stringify(at('configs/x.txt'))}, (n % 2 === 0 ? 'new' : 'old').repeat(300_000))
  `
  root.write('writer.ts', script)
  for (let round = 0; round < 5; round++) {
    const writer = spawn(process.execPath, [...typescriptArgs(), at('writer.ts')], { cwd: packageRoot })
    await once(writer.stdout, 'data')
    for (let turns = 0; turns < round * 5; turns++) await new Promise<void>((resolve) => setImmediate(resolve))
    writer.kill('SIGKILL')
    await once(writer, 'exit')
    expect([old, next].map((text) => text === readFileSync(at('configs/x.txt'), 'utf8'))).toContain(true)
  }
  await removeDrafts(root.path, 0)
  expect(readdirSync(at('configs'))).toEqual(['meta-v1.0.0.yml', 'x.txt'])
})
