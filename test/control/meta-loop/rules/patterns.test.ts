/** Patterns over domains and errors. */
import { expect, it } from 'vitest'
import {
  multiDomainDrift,
  recurrenceFindings,
  recurring,
} from '../../../../modules/control/meta-loop/rules/patterns.ts'
import { domainOf } from '../made.ts'

it('errors that came twice are found, the most frequent first, ten at most', () => {
  expect(recurring({ timeout: 2, once: 1, refused: 5, also: 2 })).toEqual([
    ['refused', 5],
    ['also', 2],
    ['timeout', 2],
  ])
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`e${index}`, index + 2]))
  const found = recurrenceFindings(many, 100)
  expect([found.length, found[0]?.context]).toEqual([10, { error_type: 'e29', count: 31, samples: 100 }])
  expect(new Set(found.map(({ fingerprint }) => fingerprint)).size).toBe(10)
  expect(recurrenceFindings({ timeout: 2 }, 4)[0]?.confidence).toBe(0.4)
})

it('domains that drift are the same finding in any order; few calls in one make it less sure', () => {
  const far = { drift: { success_rate: -0.4, autonomy_rate: 0 } }
  const [a, b] = [domainOf('a', far), domainOf('b', far)]
  expect(multiDomainDrift([b, a])).toEqual({ ...multiDomainDrift([a, b]), context: expect.anything() })
  const few = domainOf('b', { ...far, success_rate: { value: 0.9, samples: 4 } })
  expect(multiDomainDrift([a, few])?.confidence).toBe(0.4)
  const blind = domainOf('b', { ...far, success_rate: { value: null, samples: 0 } })
  expect(multiDomainDrift([a, blind])?.confidence).toBe(0.5)
})
