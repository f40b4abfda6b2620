"""Deliveries: messages become rows for their parts, workers call the messengers, and what came of it is settled."""

from alfred.crm.deliveries.calls import Reach
from alfred.crm.deliveries.making import Making, show_typing
from alfred.crm.deliveries.sweep import DeliverySweep
from alfred.crm.deliveries.worker import DeliveryWorker, Pace

__all__ = ["DeliverySweep", "DeliveryWorker", "Making", "Pace", "Reach", "show_typing"]
