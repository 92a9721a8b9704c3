// The payment page: Stripe's Payment Element takes what the bank needs, and comes back to this page when it is done.
const form = document.getElementById("payment");
const message = document.getElementById("message");
const button = document.getElementById("pay");
const stripe = Stripe(form.dataset.key);
const elements = stripe.elements({ clientSecret: form.dataset.secret });
elements.create("payment").mount("#element");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  message.textContent = "";
  // Answers only when it failed; else the browser is on its way to return_url.
  const { error } = await stripe.confirmPayment({ elements, confirmParams: { return_url: window.location.href } });
  message.textContent = error.message;
  button.disabled = false;
});
