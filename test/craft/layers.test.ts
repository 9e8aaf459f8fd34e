import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { packageRoot } from '../support/root.ts'
import { sourceFiles } from './files.ts'

/** Local files a file imports at run time; `import type` is erased and does not count. */
function runtimeImports(file: string): string[] {
  const text = readFileSync(join(packageRoot, file), 'utf8')
  const found: string[] = []
  for (const [statement, specifier = ''] of text.matchAll(
    /^(?:import|export)\s[^'"]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]/gm,
  )) {
    if (/^(?:import|export)\s+type\s/.test(statement)) continue
    const names = /\{([^}]*)\}/.exec(statement)?.[1]
    const onlyTypes =
      names !== undefined &&
      !/^(?:import)\s+\w/.test(statement) &&
      names.split(',').every((name) => name.trim() === '' || name.trim().startsWith('type '))
    if (onlyTypes || !specifier.startsWith('.')) continue
    found.push(relative(packageRoot, resolve(packageRoot, dirname(file), specifier)))
  }
  return found
}

const ALLOWED: [folder: string, may: RegExp][] = [
  ['modules/contracts', /^modules\/contracts\//],
  ['modules/lib', /^modules\/(contracts|lib)\//],
  ['modules/bracket', /^modules\/(contracts|bracket)\//],
  ['modules/loader', /^modules\/(contracts|lib|loader)\//],
  ['modules/kernel', /^modules\/(contracts|lib|kernel)\//],
  ['modules/sandbox/scan', /^modules\/(contracts|lib|sandbox\/scan)\//],
  ['modules/sandbox', /^modules\/(contracts|lib|loader|sandbox)\//],
  ['cli', /^(modules\/(contracts|lib|sandbox\/scan)\/|cli\/)/],
  // Of the command line only how the API is asked, and the tour; of the modules nothing: they are no part of a page.
  ['web', /^(web\/|cli\/(api|lists|payload)\.ts$|cli\/tour\/)/],
  ['cli/tour', /^cli\/(tour\/|lists\.ts$|demo-(answers|attacks)\.ts$)/],
]

it.each(ALLOWED)('%s imports only what it may', (folder, may) => {
  const wrong = sourceFiles(folder).flatMap((file) =>
    runtimeImports(file)
      .filter((to) => !may.test(to))
      .map((to) => `${file} → ${to}`),
  )
  expect(wrong).toEqual([])
})

it('contracts hold no behavior but the error table', () => {
  const wrong = sourceFiles('modules/contracts').flatMap((file) => runtimeImports(file).map((to) => `${file} → ${to}`))
  expect(wrong).toEqual([])
})

it('every other module imports contracts, lib, bracket and its own folder: never the kernel, never another module', () => {
  const others = sourceFiles('modules').filter(
    (file) => !/^modules\/(contracts|lib|bracket|loader|kernel|sandbox)\//.test(file),
  )
  const wrong = others.flatMap((file) => {
    const own = file
      .split('/')
      .slice(0, file.split('/').length > 3 ? 3 : 2)
      .join('/')
    return runtimeImports(file)
      .filter(
        (to) =>
          !/^modules\/(contracts|lib|bracket)\//.test(to) && !(file.split('/').length > 3 && to.startsWith(`${own}/`)),
      )
      .map((to) => `${file} → ${to}`)
  })
  expect(others.length).toBeGreaterThan(10)
  expect(wrong).toEqual([])
})

it('the bootloader imports types of the contracts, lib, the loader and the sandbox', () => {
  expect(runtimeImports('run.ts').filter((to) => !/^modules\/(lib|loader|sandbox)\//.test(to))).toEqual([])
})

it('the kernel and the control plane take time from the clock they are given', () => {
  const wrong = [...sourceFiles('modules/kernel'), ...sourceFiles('modules/control')].filter((file) =>
    /\bDate\.now\(|\bperformance\.now\(|\bMath\.random\(|[^.\w]set(Timeout|Interval)\(/.test(
      readFileSync(join(packageRoot, file), 'utf8'),
    ),
  )
  expect(wrong).toEqual([])
})
