/** What the package ships is trusted where a root says that nothing else is: the list has to be what is there. */
import { expect, it } from 'vitest'
import { isShipped } from '../../modules/lib/shipped.ts'
import { sourceFiles } from './files.ts'

/** Parts of the system itself, which hold no services. */
const NO_SERVICES = /^modules\/(contracts|lib|loader|bracket|kernel|sandbox)\//

it('every module of the package is in the list of modules/lib/shipped.ts', () => {
  const unlisted = sourceFiles('modules').filter(
    (file) => !NO_SERVICES.test(file) && !isShipped(file.slice('modules/'.length)),
  )
  expect(unlisted).toEqual([])
})

it('what somebody puts beside them is not', () => {
  for (const file of ['jobs/x.ts', 'services/mine.ts', 'services/http2/index.ts', 'x.ts'])
    expect(isShipped(file)).toBe(false)
})
