/** The powers a module's text asks for, however it holds the handle; where its use is out of sight, all of them. */
import { expect, it } from 'vitest'
import { FORBIDDEN_IMPORTS } from '../../../modules/sandbox/scan/forbidden.ts'
import { scanSource } from '../../../modules/sandbox/scan/scan.ts'

const options = { packages: [], forbidden: FORBIDDEN_IMPORTS }

/** As grants are written. */
const powers = (...texts: string[]): string[] =>
  scanSource(Object.fromEntries(texts.map((text, index) => [`/m/${index}.ts`, text])), options)
    .powers.map(({ service, aspect, method, argument }) => {
      const at = aspect === 'default' ? service : `${service}@${aspect}`
      return `${at}.${method}${argument === undefined ? '' : `:${argument}`}`
    })
    .sort()

it.each<[name: string, source: string, expected: string[]]>([
  ['a call on a handle', "kernel.getApi('database').query('SELECT 1')", ['database.query:SELECT 1']],
  [
    'a variable',
    "const db = kernel.getApi('database'); db.query(sql); db.execute(sql)",
    ['database.execute', 'database.query'],
  ],
  ['a variable that is assigned later', "let db; db = kernel.getApi('database'); db.query(sql)", ['database.query']],
  [
    'a private field',
    "class M { #db; constructor(kernel) { this.#db = kernel.getApi('database') } all() { return this.#db.query(q) } }",
    ['database.query'],
  ],
  [
    'a field with a value',
    "class M { files = this.kernel.getApi('filesystem'); get() { return this.files.read_file(`data/a.txt`) } }",
    ['filesystem.read_file:data/a.txt'],
  ],
  ['an aspect', "kernel.getApi('filesystem').as('tool').write_file({ path })", ['filesystem@tool.write_file']],
  ['an aspect in a variable', "const t = kernel.getApi('a').as('tool'); t.go()", ['a@tool.go']],
  [
    'options',
    "kernel.getApi('fetch').with({ deadlineMs: 5 }).get('https://api.example.com/')",
    ['fetch.get:https://api.example.com/'],
  ],
  ['a cast', "const db = kernel.getApi<DatabaseApi>('database') as any; (db as X).query!(q)", ['database.query']],
  ['a getApi that was taken out', "const { getApi } = kernel; getApi('a').go()", ['a.go']],
  ['a name in a constant', "const name = 'data' + 'base'; kernel.getApi(name).query(q)", ['database.query']],
  ['either of two', "(x ? kernel.getApi('a') : kernel.getApi('b')).go()", ['a.go', 'b.go']],
  [
    'methods that are taken out',
    "const { query, execute: run } = kernel.getApi('database'); query(q); run(q)",
    ['database.execute', 'database.query'],
  ],
  ['a method that is passed on', "list.map(kernel.getApi('a').go)", ['a.go']],
  ['a method by a text', "kernel.getApi('a')['go']()", ['a.go']],
  ['a method nobody can name', "kernel.getApi('a')[name]()", ['a.*']],
  ['an aspect nobody can name', "kernel.getApi('a').as(name).go()", ['a@*.go']],
  ['a service nobody can name', 'kernel.getApi(name).go()', ['*.go']],
  ['a handle that is passed on', "work(kernel.getApi('a'))", ['a.*']],
  ['a variable that is passed on', "const a = kernel.getApi('a'); a.go(); work({ a })", ['a.*', 'a.go']],
  ['a handle that is returned', "const get = (kernel) => kernel.getApi('a')", ['a.*']],
  ['a handle that is exported', "export const a = kernel.getApi('a')", ['a.*']],
  ['a field that is passed on', "class M { #a = kernel.getApi('a'); go() { return work(this.#a) } }", ['a.*']],
  ['a stream', "for await (const line of kernel.getApi('logs').tail()) print(line)", ['logs.tail']],
  [
    'a type, a text and a comment',
    "type A = typeof kernel.getApi // kernel.getApi('a').go()\nconst b = \"kernel.getApi('a').go()\"",
    [],
  ],
  ['what is no power', "kernel.getApi('a').getStats(); kernel.log.info('x'); fetchApi('a').go()", []],
])('%s', (_name, source, expected) => {
  expect(powers(source)).toEqual(expected)
})

it('a field that another file fills', () => {
  const first = "export class A { constructor(kernel) { this.db = kernel.getApi('database') } }"
  expect(powers(first, 'export const go = (a) => a.db.query(q)')).toEqual(['database.query'])
})
