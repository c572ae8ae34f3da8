"""Addresses of the operators' screens (casework side)."""

from __future__ import annotations

from django.urls import path

from kodomo.operations import (
    criteria_page,
    deliveries,
    evaluations,
    jobs_page,
    links_page,
    models_page,
    points_page,
    register_page,
    runs_page,
)

urlpatterns = [
    path("deliveries/", deliveries.deliveries, name="deliveries"),
    path("deliveries/upload/", deliveries.upload, name="delivery-upload"),
    path("deliveries/media/", deliveries.media, name="media"),
    path("deliveries/<int:receipt>/", deliveries.delivery, name="delivery"),
    path("deliveries/refused/<int:refusal>/", deliveries.refused, name="delivery-refused"),
    path("register/", register_page.register, name="register"),
    path("register/<str:code>/", register_page.item, name="item"),
    path("criteria/", criteria_page.criteria, name="criteria"),
    path("criteria/capacity/", criteria_page.capacity, name="capacity"),
    path("criteria/points/<str:kind>/", points_page.points, name="points"),
    path("criteria/propose/", criteria_page.propose, name="criteria-propose"),
    path("criteria/decide/", criteria_page.decide, name="criteria-decide"),
    path("models/", models_page.models, name="models"),
    path("models/promote/", models_page.promote, name="model-promote"),
    path("models/roll-back/", models_page.roll_back, name="model-roll-back"),
    path("models/rule/", models_page.say, name="rule-say"),
    path("runs/", runs_page.runs, name="runs"),
    path("runs/<str:name>/", runs_page.run, name="run"),
    path("runs/<str:name>/ask/", runs_page.ask, name="release-ask"),
    path("runs/<str:name>/decide/", runs_page.decide, name="release-decide"),
    path("evaluations/", evaluations.evaluations, name="evaluations"),
    path("evaluations/<str:name>/", evaluations.evaluation, name="evaluation"),
    path("links/", links_page.pairs, name="link-pairs"),
    path("links/<int:number>/", links_page.pair, name="link-pair"),
    path("links/<int:number>/decide/", links_page.decide, name="link-decide"),
    path("links/<int:number>/undo/", links_page.undo, name="link-undo"),
    path("jobs/", jobs_page.jobs, name="jobs"),
    path("jobs/start/", jobs_page.start, name="job-start"),
    path("jobs/<int:number>/", jobs_page.job, name="job"),
    path("jobs/<int:number>/cancel/", jobs_page.cancel, name="job-cancel"),
    path("jobs/<int:number>/resume/", jobs_page.resume, name="job-resume"),
    path("jobs/<int:number>/file/", jobs_page.job_file, name="job-file"),
]
