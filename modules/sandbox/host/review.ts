/**
 * What is looked at before a version's code runs: the findings of the static scan, and the powers it asks for against
 * those its config grants. What is refused names the line and what to write. `approve` may add grants: the place where a
 * policy decides.
 */
import { dirname, join, sep } from 'node:path'
import type { ApprovePowers, ScanReport, ScanSource } from '../../contracts/sandbox.ts'
import type { Scan } from '../../contracts/seams.ts'
import { coded } from '../../lib/errors.ts'
import { parseGrant, powerText, type Grant } from '../../lib/grant-text.ts'
import { grantLines, notGranted } from './powers-change.ts'
import type { HostedService } from './sandbox-host.ts'

export interface ReviewOptions {
  scan: ScanSource
  packageRoot: string
  forbidden: readonly string[]
  approve: ApprovePowers | undefined
}

/** The grants that were added. Throws `scan_refused` or `power_not_granted`. */
export async function review(options: ReviewOptions, scan: Scan, service: HostedService): Promise<Grant[]> {
  // Who tries a version looks at its text before; the boundary is the isolate in any case.
  if (service.isTrial === true) return []
  const { packages } = service
  const report = options.scan(ownTexts(scan.texts, options.packageRoot), { packages, forbidden: options.forbidden })
  refuseFindings(report)
  const missing = notGranted(report.powers, service)
  if (missing.length === 0) return []
  const added = await approved(options.approve, { api: service.api, source_key: scan.key, powers: missing })
  const left = notGranted(missing, { ...service, grants: added })
  const [power] = left
  if (power === undefined) return added
  const grant = grantLines(left)
    .slice(0, LINES_MAX)
    .map((one) => `- ${one}`)
    .join('\n  ')
  const place = { file: scan.entry }
  throw coded(
    'power_not_granted',
    { api: service.api, power: powerText(power), grant, config: service.configFile },
    place,
  )
}

const LINES_MAX = 20

/** The product's own library, which a module may import, was not written by its author. */
export function ownTexts(texts: Scan['texts'], packageRoot: string): Record<string, string> {
  const shipped = ['lib', 'contracts'].map((folder) => join(packageRoot, 'modules', folder) + sep)
  return Object.fromEntries(
    [...texts].filter(([path]) => !shipped.some((folder) => `${dirname(path)}${sep}`.startsWith(folder))),
  )
}

function refuseFindings({ findings }: ScanReport): void {
  const refused = findings.filter(({ severity }) => severity === 'refuse')
  const [first] = refused
  if (first === undefined) return
  const { rule, message, instead, file, line, column } = first
  const more = refused.length === 1 ? '' : ` (and ${refused.length - 1} more)`
  throw coded('scan_refused', { rule, reason: `${message}${more}`, instead }, { file, line, column })
}

async function approved(approve: ApprovePowers | undefined, asked: Parameters<ApprovePowers>[0]): Promise<Grant[]> {
  const texts = (await approve?.(asked).catch(() => undefined)) ?? []
  return texts.flatMap((text) => parseGrant(text) ?? [])
}
