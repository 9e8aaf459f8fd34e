/** What a config comes to for the host. */
import { expect, it } from 'vitest'
import { hostedService } from '../../../modules/sandbox/host/sandboxes.ts'
import { desiredService } from '../../support/sandboxes.ts'

const hosted = (values: object, unapproved = false) =>
  hostedService(desiredService({ api: 'x', prog: 'jobs/deep/x', ...values }), unapproved)

it('modules of one top folder share a group, unless a config says otherwise; one without a folder is alone', () => {
  expect(hosted({ sandbox: true })).toMatchObject({ isolation: 'group', group: 'jobs' })
  expect(hosted({ sandbox: { group: 'mine' } })).toMatchObject({ group: 'mine' })
  expect(hosted({ prog: 'x', sandbox: true })).toMatchObject({ group: 'x' })
})

it('code that nobody has approved shares a process with nothing, whatever its config says', () => {
  for (const isolation of ['group', 'inline', 'own'])
    expect(hosted({ sandbox: { isolation } }, true).isolation).toBe('own')
})

it('limits that are left out have their defaults; packages are added to those any guest may import', () => {
  const { limits, packages } = hosted({ sandbox: { cpu_ms: 5, packages: ['left-pad'] } })
  expect(limits).toMatchObject({ cpu_ms: 5, memory_mb: 64, wall_ms: 30_000 })
  expect(Object.keys(limits)).not.toContain('packages')
  expect(packages).toEqual(['zod', 'meta-machine', 'left-pad'])
})
