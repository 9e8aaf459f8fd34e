/** The policy: would this be allowed, and which rule says so; and what it judges by now. */
import type { PageProps } from '../../pages.ts'
import { InForce } from './in-force.tsx'
import { Question } from './question.tsx'
import './policy.css'

export default function Policy(_props: PageProps) {
  return (
    <div class="stack">
      <Question />
      <InForce />
    </div>
  )
}
