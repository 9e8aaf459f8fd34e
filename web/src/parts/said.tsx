/** A sentence as the system says it: what stands in backticks is code. */
export const Said = ({ text }: { text: string }) => (
  <>{text.split(/`([^`]+)`/).map((piece, at) => (at % 2 === 0 ? piece : <code key={at}>{piece}</code>))}</>
)
