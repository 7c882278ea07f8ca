/**
 * Goes on with a port's answer: at once when it is there, later when it is a promise. Handlers use it in place
 * of `await`, which would cost a turn of the event loop even when the answer was known locally.
 */
export const settled = <Answer, Next>(
  answer: Answer | Promise<Answer>,
  next: (answer: Answer) => Next,
): Next | Promise<Next> => (answer instanceof Promise ? answer.then(next) : next(answer));
