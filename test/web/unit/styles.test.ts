/**
 * The styles of one page cannot reach another: classes are known to the whole document, so those of a page begin with
 * the name of its folder, and nothing shared is changed but within one of them.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { PAGES } from '../../../web/src/pages.ts'
import { packageRoot } from '../../support/root.ts'

const WEB = join(packageRoot, 'web', 'src')
const PAGE_FOLDERS = readdirSync(join(WEB, 'pages'), { withFileTypes: true })
  .filter((one) => one.isDirectory())
  .map(({ name }) => name)

const filesIn = (folder: string, ending: string): string[] =>
  readdirSync(join(WEB, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))

const textOf = (file: string): string => readFileSync(join(WEB, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '')

/** What stands before each `{`, one by one: `.a > .b`. Within `@media` too; steps of `@keyframes` are none. */
function selectorsIn(css: string): string[] {
  const plain = css.replaceAll(/@keyframes [^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}/g, '')
  return [...plain.matchAll(/([^{}]+)\{/g)]
    .map(([, head = '']) => head.trim())
    .filter((head) => !head.startsWith('@'))
    .flatMap((head) => head.split(',').map((one) => one.trim()))
}

const classesIn = (text: string): string[] => [...text.matchAll(/\.([a-z][\w-]*)/g)].map(([, name = '']) => name)
const isOf = (page: string, name: string): boolean => name === page || name.startsWith(`${page}-`)
const isState = (name: string): boolean => name.startsWith('is-')

const SHARED = new Set(filesIn('style', '.css').flatMap((file) => selectorsIn(textOf(file)).flatMap(classesIn)))

it('a page styles what is its own, and what is shared only within that', () => {
  const wrong = PAGE_FOLDERS.flatMap((page) =>
    filesIn(join('pages', page), '.css').flatMap((file) =>
      selectorsIn(textOf(file)).filter((selector) => {
        const classes = classesIn(selector)
        const isOwn = classes.some((name) => isOf(page, name))
        return !isOwn || classes.some((name) => !isOf(page, name) && !isState(name) && !SHARED.has(name))
      }),
    ),
  )
  expect(wrong).toEqual([])
})

it('names of animations are those of the page as well', () => {
  const wrong = PAGE_FOLDERS.flatMap((page) =>
    filesIn(join('pages', page), '.css').flatMap((file) =>
      [...textOf(file).matchAll(/@keyframes ([\w-]+)/g)]
        .map(([, name = '']) => name)
        .filter((name) => !isOf(page, name)),
    ),
  )
  expect(wrong).toEqual([])
})

it('nothing shared is named like a page, and every page has a folder', () => {
  expect(PAGES.map(({ id }) => id).filter((id) => !PAGE_FOLDERS.includes(id))).toEqual([])
  expect([...SHARED].filter((name) => PAGE_FOLDERS.some((page) => isOf(page, name)))).toEqual([])
})

it('every class that a page names has a style', () => {
  const own = PAGE_FOLDERS.flatMap((page) => filesIn(join('pages', page), '.css').map(textOf)).flatMap(classesIn)
  const known = new Set([...SHARED, ...own])
  const wrong = filesIn('.', '.tsx').flatMap((file) =>
    [...textOf(file).matchAll(/\bclass="([^"]+)"/g)]
      .flatMap(([, names = '']) => names.split(' '))
      .filter((name) => !known.has(name))
      .map((name) => `${file}: ${name}`),
  )
  expect(wrong).toEqual([])
})
