/** What a branch, its commit and its pull request say of a change. Pure. */
import type { Proposal } from '../../contracts/proposals.ts'

const TITLE_CHARS = 72
const SLUG_CHARS = 40

/** `mm/c12-fold-the-sum` */
export function branchOf(prefix: string, { id, title }: Pick<Proposal, 'id' | 'title'>): string {
  const slug = title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, SLUG_CHARS)
    .replaceAll(/^-+|-+$/g, '')
  return `${prefix}${id}${slug === '' ? '' : `-${slug}`}`
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

export const titleOf = ({ title }: Pick<Proposal, 'title'>): string => oneLine(title).slice(0, TITLE_CHARS)

export function messageOf(proposal: Proposal): string {
  const { id, intent, reason, actor, approved_by } = proposal
  return [
    titleOf(proposal),
    '',
    intent,
    ...(reason === undefined || reason === intent ? [] : ['', `Why: ${reason}`]),
    '',
    `Proposed as ${id} by ${actor}, approved by ${approved_by ?? 'nobody'}.`,
    '',
  ].join('\n')
}

export function bodyOf(proposal: Proposal, commit: string): string {
  const { evidence = [], edits, service, lineage } = proposal
  return [
    messageOf(proposal).split('\n').slice(2).join('\n').trim(),
    '',
    `Service \`${service}\`; ${edits.map(({ path }) => `\`${path}\``).join(', ')}; commit ${commit.slice(0, 12)}.`,
    ...(lineage === undefined ? [] : ['', `Written by ${lineage.model}.`]),
    ...(evidence.length === 0
      ? []
      : [
          '',
          '| check | said |',
          '|---|---|',
          ...evidence.map(
            ({ check, outcome, message }) =>
              `| ${check} | ${outcome}: ${oneLine(message).replaceAll('|', '\\|').slice(0, 300)} |`,
          ),
        ]),
    '',
  ].join('\n')
}
