/** What to do about sessions that hold what is wanted. No test left open what afresh itself is at. */
export function describeBlockers(
  sessions: readonly { readonly text: string; readonly isOwn: boolean }[],
): string {
  const listed = (own: boolean) =>
    sessions.flatMap(({ text, isOwn }) => (isOwn === own ? [`\n    ${text}`] : [])).join('')
  const [others, own] = [listed(false), listed(true)]
  return [
    ...(others === '' ? [] : [`End the transaction that is in the way (a test left it open):${others}`]),
    ...(own === ''
      ? []
      : [
          `Another call of afresh is at work here (an erase, purge or reset, of another worker or not awaited): await it, and try again:${own}`,
        ]),
  ].join('\n')
}
