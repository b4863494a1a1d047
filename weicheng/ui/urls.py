from django.urls import path

from weicheng.ui import views

app_name = "ui"
urlpatterns = [
    path("views/save", views.save_view, name="save_view"),
    path("views/<int:pk>/delete", views.delete_view, name="delete_view"),
]
