"""From plans and events' seats to what is drawn of them."""

from __future__ import annotations

from api.web.seat_svg import KIND_WORDS, Drawn, Scene
from ticketchain.domain.money import show
from ticketchain.domain.seat_plans import SeatPlan, categories
from ticketchain.usecases.plans import SeatMap, SeatOnMap


def scene_of_plan(plan: SeatPlan) -> Scene:
    """A plan without any event: its categories, no states."""
    codes = list(categories(plan))
    numbers = {code: number for number, code in enumerate(codes)}
    seats = [
        Drawn(
            seat.x,
            seat.y,
            section,
            row,
            _title(section, row, seat.label, seat.category, KIND_WORDS[seat.kind]),
            seat.kind,
            numbers[seat.category],
        )
        for section, row, seat in plan.seats()
    ]
    return Scene(f"Seat plan: {plan.name}, {len(seats)} seats", codes, seats, plan.areas)


def scene_of_map(found: SeatMap) -> Scene:
    """An event's seats with their prices and live states."""
    classes, currency = found.event["price_classes"], found.event["currency"]
    numbers = {each["code"]: number for number, each in enumerate(classes)}
    prices = {each["code"]: f"{each['code']} {show(each['all_in'], currency)}" for each in classes}
    seats = [_drawn(seat, numbers[seat.price_class], prices[seat.price_class]) for seat in found.seats]
    free = found.states.count("f")
    about = f"Seats of {found.event['title']}, {found.event['venue']}: {free} of {len(seats)} free"
    return Scene(about, list(numbers), seats, found.areas)


def _drawn(seat: SeatOnMap, price_class: int, price: str) -> Drawn:
    title = _title(seat.section, seat.row, seat.seat, price, KIND_WORDS[seat.kind])
    return Drawn(seat.x, seat.y, seat.section, seat.row, title, seat.kind, price_class, seat.state, seat.ticket)


def _title(section: str, row: str, seat: str, *more: str) -> str:
    return " · ".join([f"{section}, row {row}, seat {seat}", *(text for text in more if text)])
