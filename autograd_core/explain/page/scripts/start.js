// Off we go.

function arrive() {
  reveal = ["step", "all"].includes(address.get("reveal")) ? address.get("reveal") : data.reveal;
  show(Number(address.get("step")) || 0);
  cover();
  if (address.has("quiz") !== quizzing) setQuiz(address.has("quiz"));
  if (!at) describe(result);
}
onAddress.push(arrive);
onMove.push(() => remember("step", at || null));
arrive();
